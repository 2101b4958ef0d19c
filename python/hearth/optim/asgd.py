"""ASGD: averaged stochastic gradient descent (Polyak and Juditsky 1992)."""

import hearth

from .rule import Rule, check_lr, count, number, step_count, zeros

__all__ = ["ASGD"]


class ASGD(Rule):
    """SGD with a falling rate; `state["ax"]` is the average of the parameters from step t0 on."""

    def __init__(
        self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None, maximize=False,
        differentiable=False, capturable=False,
    ) -> None:  # fmt: skip
        check_lr(lr)
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        defaults = dict(
            lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, foreach=foreach, maximize=maximize,
            differentiable=differentiable, capturable=capturable,
        )  # fmt: skip
        super().__init__(params, defaults)

    def new_state(self, group, p):
        return {
            "step": step_count(),
            "eta": hearth.tensor(float(number(group["lr"])), dtype=hearth.float32),
            "mu": hearth.tensor(1.0, dtype=hearth.float32),
            "ax": zeros(p),
        }

    def _complete_old_state(self):
        super()._complete_old_state()
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state.get(p, {})
                for name in ("eta", "mu"):
                    if name in state and not isinstance(state[name], hearth.Tensor):
                        state[name] = hearth.tensor(float(state[name]), dtype=hearth.float32)

    def update(self, group, p, grad, state):
        step = count(state)
        lambd = group["lambd"]
        eta, mu, average = state["eta"].item(), state["mu"].item(), state["ax"]
        if lambd != 0:
            p.mul_(1 - lambd * eta)
        p.add_(grad, alpha=-eta)
        if mu == 1:
            average.copy_(p)
        else:
            average.add_(p.sub(average).mul_(mu))
        state["eta"].fill_(number(group["lr"]) / ((1 + lambd * number(group["lr"]) * step) ** group["alpha"]))
        state["mu"].fill_(1 / max(1, step - group["t0"]))
