"""Adafactor (Shazeer and Stern 2018): second moments of matrices kept as a row and a column."""

import hearth

from .rule import Rule, count, number, step_count

__all__ = ["Adafactor"]


class Adafactor(Rule):
    """Steps relative to the size of the parameter, clipped at root mean square d."""

    adds_decay = False

    def __init__(
        self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *, foreach=None,
        maximize=False,
    ) -> None:  # fmt: skip
        if isinstance(lr, hearth.Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = dict(
            lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay, foreach=foreach,
            maximize=maximize,
        )  # fmt: skip
        super().__init__(params, defaults)

    def new_state(self, group, p):
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        state = {"step": step_count()}
        if p.dim() > 1:
            row, column = list(p.shape), list(p.shape)
            row[-1] = 1
            column[-2] = 1
            state["row_var"] = p.grad.new_zeros(row)
            state["col_var"] = p.grad.new_zeros(column)
        else:
            state["variance"] = hearth.zeros_like(p.grad, memory_format=hearth.preserve_format)
        return state

    def update(self, group, p, grad, state):
        step = count(state)
        eps1, eps2 = group["eps"]
        eps1 = hearth.finfo(p.dtype).eps if eps1 is None else eps1
        lr = number(group["lr"])
        weight = step ** group["beta2_decay"]
        size = max(eps2, p.norm(2).item() / (p.numel() ** 0.5)) * min(lr, 1 / (step**0.5))
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        if grad.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(hearth.norm(grad, dim=-1, keepdim=True).square_().div_(grad.size(-1)), weight)
            columns.lerp_(hearth.norm(grad, dim=-2, keepdim=True).square_().div_(grad.size(-2)), weight)
            estimate = rows @ columns
            estimate.div_(rows.mean(dim=-2, keepdim=True).clamp_(min=eps1))
        else:
            state["variance"].lerp_(grad.square(), weight)
            estimate = state["variance"].clone()
        change = estimate.clamp_(min=eps1 * eps1).rsqrt_()
        change.mul_(grad)
        clip = max(1.0, change.norm(2).item() / ((change.numel() ** 0.5) * group["d"]))
        p.add_(change, alpha=-size / clip)
