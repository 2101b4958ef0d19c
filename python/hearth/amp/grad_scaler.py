"""GradScaler: losses scaled up so that small float16 gradients do not vanish; steps with infinities are left out."""

import math
import warnings

import hearth

__all__ = ["GradScaler", "OptState"]


_NO_SCALE = (
    "Attempted {} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) earlier in "
    "the iteration."
)


class OptState:
    """How far an optimizer is within one iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class GradScaler:
    """scale(loss).backward(); step(optimizer); update(). The scale grows slowly and halves when a gradient overflows.

    With device "cuda" it is off, as in PyTorch where CUDA is missing. Example: scaler = GradScaler("cpu")
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        self._device = device
        self._enabled = enabled
        if device == "cuda" and enabled:
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2
            )
            self._enabled = False
        if self._enabled:
            if growth_factor <= 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if backoff_factor >= 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
            self._init_scale = init_scale
            self._scale = None
            self._growth_factor = growth_factor
            self._backoff_factor = backoff_factor
            self._growth_interval = growth_interval
            self._init_growth_tracker = 0
            self._growth_tracker = None
            self._clear()

    def _clear(self):
        # By id(optimizer): (stage, whether an infinity was found, the optimizer itself so that the id stays its own).
        self._stages = {}
        self._found = {}

    def _make_scale(self):
        if self._scale is None:
            self._scale = hearth.full((), self._init_scale, dtype=hearth.float32)
            self._growth_tracker = hearth.full((), self._init_growth_tracker, dtype=hearth.int32)

    def scale(self, outputs):
        """`outputs`, a tensor or an iterable of tensors, times the scale."""
        if not self._enabled:
            return outputs
        self._make_scale()
        if isinstance(outputs, hearth.Tensor):
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, (list, tuple)):
            parts = [self.scale(v) for v in outputs]
            return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)
        if hasattr(outputs, "__iter__"):
            return map(self.scale, outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer) -> None:
        """Divide the gradients of the optimizer's parameters by the scale. Raises RuntimeError when done twice."""
        if not self._enabled:
            return
        stage = self._stages.get(id(optimizer), OptState.READY)
        if stage == OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if stage == OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        if self._scale is None:
            raise AssertionError(_NO_SCALE.format("unscale_"))
        inverse = 1.0 / self._scale.item()
        bad = False
        with hearth.no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    if p.grad.dtype == hearth.float16 and p.dtype == hearth.float16:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    bad = bad or not bool(hearth.isfinite(p.grad).all())
                    p.grad.mul_(inverse)
        self._found[id(optimizer)] = bad
        self._stages[id(optimizer)] = OptState.UNSCALED

    def step(self, optimizer, *args, **kwargs):
        """optimizer.step(), unless a gradient is infinite or NaN. Raises RuntimeError for a closure or a second step."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        stage = self._stages.get(id(optimizer), OptState.READY)
        if stage == OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if stage == OptState.READY:
            self.unscale_(optimizer)
        result = None
        if not self._found[id(optimizer)]:
            result = optimizer.step(*args, **kwargs)
        self._stages[id(optimizer)] = OptState.STEPPED
        return result

    def update(self, new_scale=None) -> None:
        """Halve the scale after an overflow, double it after growth_interval steps without one, or set it."""
        if not self._enabled:
            return
        if self._scale is None:
            raise AssertionError(_NO_SCALE.format("update"))
        if new_scale is not None:
            self._scale.fill_(new_scale if not isinstance(new_scale, hearth.Tensor) else new_scale.item())
        else:
            if not self._found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._adjust(any(self._found.values()))
        self._clear()

    def _adjust(self, overflow):
        if overflow:
            self._scale.mul_(self._backoff_factor)
            self._growth_tracker.fill_(0)
            return
        good = self._growth_tracker.item() + 1
        if good == self._growth_interval:
            grown = self._scale.item() * self._growth_factor
            if math.isfinite(grown):
                self._scale.fill_(grown)
            good = 0
        self._growth_tracker.fill_(good)

    def get_scale(self) -> float:
        """The scale as a number; 1 when off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """By what the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set by what the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set by what the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many good steps the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many good steps the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else self._growth_tracker.item()

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self):
        """Scale, factors and counter; empty when off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict) -> None:
        """Take over what state_dict gave. Raises RuntimeError for the empty one of a scaler that was off."""
        if not self._enabled:
            return
        if len(state_dict) == 0:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(state_dict["_growth_tracker"])
