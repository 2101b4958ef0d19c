"""RMSprop (Hinton's lecture 6e; centered: Graves 2013)."""

from .rule import Rule, check_lr, count, number, step_count, zeros

__all__ = ["RMSprop"]


class RMSprop(Rule):
    """Steps of size lr along g / (sqrt(running mean of g^2) + eps)."""

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, capturable=False,
        foreach=None, maximize=False, differentiable=False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        for name, value in (("epsilon", eps), ("momentum", momentum), ("weight_decay", weight_decay), ("alpha", alpha)):
            if not 0.0 <= value:
                raise ValueError(f"Invalid {name} value: {value}")
        defaults = dict(
            lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered, weight_decay=weight_decay,
            capturable=capturable, foreach=foreach, maximize=maximize, differentiable=differentiable,
        )  # fmt: skip
        super().__init__(params, defaults)

    def new_state(self, group, p):
        state = {"step": step_count(), "square_avg": zeros(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros(p)
        if group["centered"]:
            state["grad_avg"] = zeros(p)
        return state

    def update(self, group, p, grad, state):
        alpha, lr = group["alpha"], number(group["lr"])
        squares = state["square_avg"]
        count(state)
        squares.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        if group["centered"]:
            average = state["grad_avg"]
            average.lerp_(grad, 1 - alpha)
            size = squares.addcmul(average, average, value=-1).sqrt_()
        else:
            size = squares.sqrt()
        size = size.add(group["eps"]) if group["differentiable"] else size.add_(group["eps"])
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            buffer.mul_(group["momentum"]).addcdiv_(grad, size)
            p.add_(buffer, alpha=-lr)
        else:
            p.addcdiv_(grad, size, value=-lr)
