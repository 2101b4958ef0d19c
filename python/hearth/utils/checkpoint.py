"""Activation checkpointing: a part's inner results are not kept for backward, but computed again when it comes."""
import contextlib
import warnings

import hearth
from hearth.autograd.graph import saved_tensors_hooks

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn", "set_checkpoint_early_stop"]
_early_stop = [True]


class CheckpointError(RuntimeError):
    """The second computation saved other tensors than the first."""


class _Enough(Exception):
    """All tensors that were saved have been computed again."""


def noop_context_fn():
    """Two contexts that do nothing: for the forward pass, and for the second computation."""
    return contextlib.nullcontext(), contextlib.nullcontext()


class set_checkpoint_early_stop:
    """A block in which the second computation ends as soon as all saved tensors are there, or runs to its end."""

    def __init__(self, enable: bool):
        self._enable = bool(enable)

    def __enter__(self):
        self._before, _early_stop[0] = _early_stop[0], self._enable

    def __exit__(self, *exception):
        _early_stop[0] = self._before


def checkpoint(function, *args, use_reentrant=None, context_fn=noop_context_fn, determinism_check="default", debug=False,
               early_stop=True, **kwargs):
    """`function(*args)`, of which backward computes the inner results again instead of keeping them.

    The default generator's state is put back for the second computation, so dropout draws the same numbers, unless
    `preserve_rng_state=False`. Example: `y = checkpoint(block, x, use_reentrant=False)`.
    """
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly; "
                      "use_reentrant=False is recommended, True is the default", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        if determinism_check not in ("default", "none"):
            raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
        return _Part(function, args, kwargs, preserve, context_fn, determinism_check, early_stop).run()
    if context_fn is not noop_context_fn or debug:
        raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    return _reentrant(function, preserve, args)


class _Slot:
    """Stands in the graph for a tensor that is not kept."""

    def __init__(self, part, number):
        self.part, self.number = part, number


class _Part:
    """One checkpointed call."""

    def __init__(self, function, args, kwargs, preserve, context_fn, check, early_stop):
        self.function, self.args, self.kwargs = function, args, kwargs
        self.check, self.early_stop = check, early_stop
        self.state = hearth.get_rng_state() if preserve else None
        self.autocast = _autocast()
        self.first, self.second = context_fn()
        self.kinds, self.values, self.open = [], None, True

    def run(self):
        with self.first, saved_tensors_hooks(self._pack, self._unpack):
            result = self.function(*self.args, **self.kwargs)
        self.open = False
        return result

    def _pack(self, tensor):
        self.kinds.append((tuple(tensor.shape), tensor.dtype))
        return _Slot(self, len(self.kinds) - 1)

    def _unpack(self, slot):
        if self.values is None or slot.number not in self.values:
            self._again()
        try:
            return self.values.pop(slot.number)
        except KeyError:
            raise CheckpointError(f"checkpoint: the second computation saved fewer tensors than the first: "
                                  f"{slot.number} of {len(self.kinds)}") from None

    def _again(self):
        self.values, number = {}, [0]

        def keep(tensor):
            place = number[0]
            number[0] += 1
            if place >= len(self.kinds):
                raise CheckpointError("checkpoint: the second computation saved more tensors than the first")
            if self.check == "default" and self.kinds[place] != (tuple(tensor.shape), tensor.dtype):
                raise CheckpointError(f"checkpoint: saved tensor {place} has another shape or dtype the second time: "
                                      f"{self.kinds[place]}, then {(tuple(tensor.shape), tensor.dtype)}")
            self.values[place] = tensor.detach()
            if place + 1 == len(self.kinds) and self.early_stop and _early_stop[0]:
                raise _Enough
            return tensor

        with _rng(self.state), self.autocast(), self.second, hearth.enable_grad():
            with saved_tensors_hooks(keep, lambda tensor: tensor), contextlib.suppress(_Enough):
                self.function(*self.args, **self.kwargs)


@contextlib.contextmanager
def _rng(state):
    if state is None:
        yield
        return
    before = hearth.get_rng_state()
    hearth.set_rng_state(state)
    try:
        yield
    finally:
        hearth.set_rng_state(before)


def _autocast():
    """A function that makes the block with today's autocast settings of the CPU."""
    ask = getattr(hearth, "is_autocast_enabled", None)
    if ask is None or not ask("cpu"):
        return contextlib.nullcontext
    dtype = hearth.get_autocast_dtype("cpu")
    return lambda: hearth.autocast("cpu", dtype=dtype)


def _reentrant(function, preserve, args):
    state = hearth.get_rng_state() if preserve else None
    autocast = _autocast()
    if not any(isinstance(a, hearth.Tensor) and a.requires_grad for a in args) and hearth.is_grad_enabled():
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3)

    class Reentrant(hearth.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            ctx.others = [None if isinstance(a, hearth.Tensor) else a for a in inputs]
            ctx.places = [place for place, a in enumerate(inputs) if isinstance(a, hearth.Tensor)]
            ctx.save_for_backward(*[inputs[place] for place in ctx.places])
            with hearth.no_grad():
                return function(*inputs)

        @staticmethod
        def backward(ctx, *gradients):
            inputs = list(ctx.others)
            for place, saved in zip(ctx.places, ctx.saved_tensors):
                inputs[place] = saved.detach().requires_grad_(saved.requires_grad)
            with _rng(state), autocast(), hearth.enable_grad():
                outputs = function(*inputs)
            outputs = (outputs,) if isinstance(outputs, hearth.Tensor) else outputs
            pairs = [(y, g) for y, g in zip(outputs, gradients) if isinstance(y, hearth.Tensor) and y.requires_grad]
            if not pairs:
                raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
            hearth.autograd.backward([y for y, _ in pairs], [g for _, g in pairs])
            return tuple(a.grad if isinstance(a, hearth.Tensor) else None for a in inputs)

    return Reentrant.apply(*args)


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """Runs a sequence of modules in `segments` checkpointed parts; the last part is computed once.

    Example: `y = checkpoint_sequential(model, 2, x, use_reentrant=False)`.
    """
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    parts = list(functions.children()) if isinstance(functions, hearth.nn.Sequential) else list(functions)
    size = len(parts) // segments

    def run(begin, end):
        def part(value):
            for step in parts[begin:end]:
                value = step(value)
            return value

        return part

    end = 0
    for begin in range(0, size * (segments - 1), size):
        end = begin + size
        input = checkpoint(run(begin, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return run(end, len(parts))(input)
