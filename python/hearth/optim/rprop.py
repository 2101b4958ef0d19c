"""Rprop: resilient backpropagation (Riedmiller and Braun 1993)."""

import hearth

from .rule import Rule, check_lr, count, number, step_count, zeros

__all__ = ["Rprop"]


class Rprop(Rule):
    """Steps of a size of each element's own, which grows while the gradient's sign stays and shrinks when it turns."""

    adds_decay = False

    def __init__(
        self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, capturable=False, foreach=None,
        maximize=False, differentiable=False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = dict(
            lr=lr, etas=etas, step_sizes=step_sizes, foreach=foreach, maximize=maximize,
            differentiable=differentiable, capturable=capturable,
        )  # fmt: skip
        super().__init__(params, defaults)

    def new_state(self, group, p):
        lr = number(group["lr"])
        start = complex(lr, lr) if p.is_complex() else lr
        return {"step": step_count(), "prev": zeros(p), "step_size": hearth.full_like(p, start, requires_grad=False)}

    def update(self, group, p, grad, state):
        shrink, grow = group["etas"]
        previous, size = state["prev"], state["step_size"]
        count(state)
        sign = grad.mul(previous.clone() if group["differentiable"] else previous).sign()
        factor = hearth.where(sign > 0, grow, hearth.where(sign < 0, shrink, 1.0)).to(size.dtype)
        size.mul_(factor).clamp_(*group["step_sizes"])
        # Where the sign has turned, the element waits for a step.
        grad = hearth.where(sign < 0, 0.0, grad).to(p.dtype)
        p.addcmul_(grad.sign(), size, value=-1)
        previous.copy_(grad)
