"""Adagrad (Duchi et al. 2011)."""

import hearth

from .rule import Rule, check_fused, check_lr, count, number, step_count

__all__ = ["Adagrad"]


class Adagrad(Rule):
    """Steps of size lr / sqrt(sum of squared gradients)."""

    def __init__(
        self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, foreach=None, *,
        maximize=False, differentiable=False, fused=None,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 <= lr_decay:
            raise ValueError(f"Invalid lr_decay value: {lr_decay}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if not 0.0 <= initial_accumulator_value:
            raise ValueError(f"Invalid initial_accumulator_value value: {initial_accumulator_value}")
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        defaults = dict(
            lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, foreach=foreach, maximize=maximize,
            differentiable=differentiable, fused=fused,
        )  # fmt: skip
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p].update(self.new_state(group, p))

    def new_state(self, group, p):
        value = group["initial_accumulator_value"]
        start = complex(value, value) if p.is_complex() else value
        return {
            "step": step_count(),
            "sum": hearth.full_like(p, start, memory_format=hearth.preserve_format, requires_grad=False),
        }

    def share_memory(self):
        """Put the sums into memory that other processes can map."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def update(self, group, p, grad, state):
        step = count(state)
        rate = number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        total = state["sum"]
        total.addcmul_(grad, grad, value=1)
        std = total.sqrt() + group["eps"] if group["differentiable"] else total.sqrt().add_(group["eps"])
        p.addcdiv_(grad, std, value=-rate)
