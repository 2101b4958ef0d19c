"""Rule: what the update rules share: the closure, the walk over groups, gradients as each rule wants them."""

import hearth

from .optimizer import Optimizer

_ON_DEVICE = "['cuda', 'xpu', 'hpu', 'privateuseone', 'xla']"


def check_not_negative(**settings):
    """Raise ValueError for a setting below 0; the keys are how the message names them."""
    for name, value in settings.items():
        if not 0.0 <= value:
            raise ValueError(f"Invalid {name.replace('_value', ' value')}: {value}")


def check_lr(lr, foreach=None, capturable=False):
    """Raise ValueError for a learning rate that is negative, or a tensor of a kind that is not taken."""
    if isinstance(lr, hearth.Tensor):
        if foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        if lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
    if not 0.0 <= lr:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_betas(betas):
    """Raise ValueError for a beta outside [0, 1)."""
    for i, beta in enumerate(betas[:2]):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def number(value):
    """A tensor of one element as a Python number."""
    return value.item() if isinstance(value, hearth.Tensor) else value


def check_fused(fused, foreach, differentiable):
    """Raise RuntimeError for options that exclude each other."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


class Rule(Optimizer):
    """A rule that updates each parameter by itself, in `update(group, param, grad, state)`.

    `new_state(group, param, grad)` makes the state of a parameter that has none. `foreach` and `fused` only say how
    PyTorch runs the same arithmetic; hearth has one way.
    """

    # Whether a gradient of `weight_decay * param` is added here; rules that decouple the decay say no.
    adds_decay = True

    def _complete_old_state(self):
        for group in self.param_groups:
            for key, value in self.defaults.items():
                if key not in ("lr", "params"):
                    group.setdefault(key, value)
            for p in group["params"]:
                state = self.state.get(p, ())
                if len(state) and "step" in state and not isinstance(state["step"], hearth.Tensor):
                    state["step"] = hearth.tensor(float(state["step"]), dtype=hearth.float32)

    def step(self, closure=None):
        """Change the parameters once. `closure()` is called first, with gradients on; its result is returned."""
        loss = None
        if closure is not None:
            with hearth.enable_grad():
                loss = closure()
        if self.defaults.get("differentiable"):
            for group in self.param_groups:
                self.step_group(group)
        else:
            with hearth.no_grad():
                for group in self.param_groups:
                    self.step_group(group)
        return loss

    def step_group(self, group):
        """Update every parameter of the group that has a gradient."""
        if group.get("capturable"):
            raise AssertionError(
                f"If capturable=True, params and state_steps must be on supported devices: {_ON_DEVICE}."
            )
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            if grad.is_sparse:
                self.refuse_sparse()
            state = self.state[p]
            if len(state) == 0:
                state.update(self.new_state(group, p))
            self.update_one(group, p, grad, state)

    def refuse_sparse(self):
        """Raise RuntimeError: most rules need dense gradients."""
        raise RuntimeError(f"{type(self).__name__} does not support sparse gradients")

    def update_one(self, group, p, grad, state):
        """Bring gradient and complex numbers into the form that `update` takes."""
        if group.get("maximize"):
            grad = -grad
        # With autograd through the step, the parameter itself must be written, not a view of its data.
        if self.adds_decay and group.get("weight_decay"):
            grad = grad.add(p, alpha=number(group["weight_decay"]))
        if p.is_complex():
            views = {
                k: hearth.view_as_real(v) if isinstance(v, hearth.Tensor) and v.is_complex() else v
                for k, v in state.items()
            }
            self.update(group, hearth.view_as_real(p), hearth.view_as_real(grad), views)
        else:
            self.update(group, p, grad, state)

    def new_state(self, group, p):
        """The state of a parameter before its first step."""
        return {}

    def update(self, group, p, grad, state):
        """Change one parameter; every rule defines it."""
        raise NotImplementedError


def zeros(p):
    """A state tensor of zeros, laid out as the parameter."""
    return hearth.zeros_like(p, memory_format=hearth.preserve_format)


def step_count():
    """The counter of steps: a tensor, as PyTorch has it."""
    return hearth.tensor(0.0, dtype=hearth.float32)


def count(state):
    """Count a step; returns its number, from 1."""
    state["step"] += 1
    return state["step"].item()
