"""RAdam: Adam with its variance rectified (Liu et al. 2020)."""

from .rule import Rule, check_betas, check_lr, count, number, step_count, zeros

__all__ = ["RAdam"]


class RAdam(Rule):
    """Adam that first steps without the second moment, until enough gradients are seen."""

    adds_decay = False

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False, *,
        foreach=None, maximize=False, capturable=False, differentiable=False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        defaults = dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize, foreach=foreach,
            capturable=capturable, decoupled_weight_decay=decoupled_weight_decay, differentiable=differentiable,
        )  # fmt: skip
        super().__init__(params, defaults)

    def new_state(self, group, p):
        return {"step": step_count(), "exp_avg": zeros(p), "exp_avg_sq": zeros(p)}

    def update(self, group, p, grad, state):
        beta1, beta2 = (number(b) for b in group["betas"])
        lr, decay = number(group["lr"]), group["weight_decay"]
        average, squares = state["exp_avg"], state["exp_avg_sq"]
        step = count(state)
        if decay != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * decay)
            else:
                grad = grad.add(p, alpha=decay)
        average.lerp_(grad, 1 - beta1)
        squares.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correction2 = 1 - beta2**step
        corrected = average / (1 - beta1**step)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * (beta2**step) / correction2
        if length > 5.0:
            rectified = (
                (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            ) ** 0.5
            scale = (correction2**0.5) / squares.sqrt().add(group["eps"])
            p.add_(corrected * lr * scale * rectified, alpha=-1.0)
        else:
            p.add_(corrected * lr, alpha=-1.0)
