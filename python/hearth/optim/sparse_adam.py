"""SparseAdam: Adam that touches only the rows that a sparse gradient names."""

import hearth

from .rule import Rule, check_betas, number, zeros

__all__ = ["SparseAdam"]


class SparseAdam(Rule):
    """Adam for sparse gradients of dense parameters, such as large embeddings'."""

    adds_decay = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False) -> None:
        if isinstance(lr, hearth.Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, maximize=maximize))
        sparse = [
            [i, j] for i, group in enumerate(self.param_groups) for j, p in enumerate(group["params"]) if p.is_sparse
        ]
        if sparse:
            raise ValueError(f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors")

    def _complete_old_state(self):
        pass

    def step_group(self, group):
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            if not grad.is_sparse:
                raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
            state = self.state[p]
            if len(state) == 0:
                state.update(step=0, exp_avg=zeros(p), exp_avg_sq=zeros(p))
            state["step"] += 1
            self.update(group, p, -grad if group["maximize"] else grad, state)

    def update(self, group, p, grad, state):
        grad = grad.coalesce()
        if grad._values().numel() == 0:
            return
        beta1, beta2 = (number(b) for b in group["betas"])
        places = tuple(grad._indices().unbind(0))
        values, step = grad._values(), state["step"]
        average, squares = state["exp_avg"], state["exp_avg_sq"]
        old, old_squares = average[places], squares[places]
        change = (values - old) * (1 - beta1)
        change_squares = (values.pow(2) - old_squares) * (1 - beta2)
        average[places] = old + change
        squares[places] = old_squares + change_squares
        denominator = (old_squares + change_squares).sqrt_().add_(group["eps"])
        rate = number(group["lr"]) * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
        p[places] += -rate * ((old + change) / denominator)
