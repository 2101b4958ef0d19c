"""Adadelta (Zeiler 2012)."""

from .rule import Rule, check_lr, count, number, step_count, zeros

__all__ = ["Adadelta"]


class Adadelta(Rule):
    """Steps whose size is the running size of past steps over the running size of gradients."""

    def __init__(
        self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *, capturable=False, maximize=False,
        differentiable=False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        defaults = dict(
            lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize, capturable=capturable,
            foreach=foreach, differentiable=differentiable,
        )  # fmt: skip
        super().__init__(params, defaults)

    def new_state(self, group, p):
        return {"step": step_count(), "square_avg": zeros(p), "acc_delta": zeros(p)}

    def update(self, group, p, grad, state):
        rho, eps = group["rho"], group["eps"]
        squares, deltas = state["square_avg"], state["acc_delta"]
        count(state)
        squares.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        std = squares.add(eps).sqrt_()
        delta = deltas.add(eps).sqrt_()
        if group["differentiable"]:
            delta = delta.clone()
        delta.div_(std).mul_(grad)
        deltas.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        p.add_(delta, alpha=-number(group["lr"]))
