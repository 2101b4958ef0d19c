"""Adamax: Adam with the infinity norm (Kingma and Ba 2015)."""

import hearth

from .rule import Rule, check_betas, check_lr, count, number, step_count, zeros

__all__ = ["Adamax"]


class Adamax(Rule):
    """Steps of size lr along m / u, u the decaying maximum of |gradient|."""

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *, maximize=False,
        differentiable=False, capturable=False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        defaults = dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach, maximize=maximize,
            differentiable=differentiable, capturable=capturable,
        )  # fmt: skip
        super().__init__(params, defaults)

    def new_state(self, group, p):
        return {"step": step_count(), "exp_avg": zeros(p), "exp_inf": zeros(p)}

    def update(self, group, p, grad, state):
        beta1, beta2 = (number(b) for b in group["betas"])
        average, largest = state["exp_avg"], state["exp_inf"]
        step = count(state)
        average.lerp_(grad, 1 - beta1)
        old = largest.mul_(beta2)
        largest.copy_(hearth.maximum(old.clone() if group["differentiable"] else old, grad.abs().add_(group["eps"])))
        p.addcdiv_(average, largest, value=-number(group["lr"]) / (1 - beta1**step))
