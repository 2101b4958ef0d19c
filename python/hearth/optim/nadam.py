"""NAdam: Adam with Nesterov's momentum (Dozat 2016)."""

import hearth

from .rule import Rule, check_betas, check_lr, count, number, step_count, zeros

__all__ = ["NAdam"]


class NAdam(Rule):
    """Adam whose step looks one momentum step ahead."""

    adds_decay = False

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
        decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False, differentiable=False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if not 0.0 <= momentum_decay:
            raise ValueError(f"Invalid momentum_decay value: {momentum_decay}")
        defaults = dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize, foreach=foreach, capturable=capturable,
            differentiable=differentiable,
        )  # fmt: skip
        super().__init__(params, defaults)

    def _complete_old_state(self):
        super()._complete_old_state()
        for group in self.param_groups:
            for p in group["params"]:
                product = self.state.get(p, {}).get("mu_product")
                if product is not None and not isinstance(product, hearth.Tensor):
                    self.state[p]["mu_product"] = hearth.tensor(float(product), dtype=hearth.float32)

    def new_state(self, group, p):
        one = hearth.tensor(1.0, dtype=hearth.float32)
        return {"step": step_count(), "mu_product": one, "exp_avg": zeros(p), "exp_avg_sq": zeros(p)}

    def update(self, group, p, grad, state):
        beta1, beta2 = (number(b) for b in group["betas"])
        lr, decay = number(group["lr"]), group["weight_decay"]
        average, squares, product = state["exp_avg"], state["exp_avg_sq"], state["mu_product"]
        step = count(state)
        if decay != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * decay)
            else:
                grad = grad.add(p, alpha=decay)
        mu = beta1 * (1.0 - 0.5 * (0.96 ** (step * group["momentum_decay"])))
        mu_next = beta1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * group["momentum_decay"])))
        product *= mu
        average.lerp_(grad, 1 - beta1)
        squares.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        denominator = squares.div(1 - beta2**step).sqrt().add(group["eps"])
        so_far = product.item()
        p.addcdiv_(grad, denominator, value=-lr * (1.0 - mu) / (1.0 - so_far))
        p.addcdiv_(average, denominator, value=(-lr * mu_next) / (1.0 - so_far * mu_next))
