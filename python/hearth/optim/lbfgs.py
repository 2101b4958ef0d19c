"""LBFGS: quasi-Newton steps from the last gradients (Nocedal and Wright, Numerical Optimization, chapters 3 and 7)."""

import hearth

from .optimizer import Optimizer
from .wolfe import strong_wolfe

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Minimizes all parameters together; `step(closure)` calls the closure up to `max_eval` times."""

    def __init__(
        self, params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=100,
        line_search_fn=None, *, maximize=False,
    ) -> None:  # fmt: skip
        if isinstance(lr, hearth.Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        defaults = dict(
            lr=lr, max_iter=max_iter, max_eval=max_eval, tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn,
            maximize=maximize,
        )  # fmt: skip
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    def _complete_old_state(self):
        self._params = self.param_groups[0]["params"]

    def _numel(self):
        return sum(2 * p.numel() if p.is_complex() else p.numel() for p in self._params)

    def _gather_flat_grad(self):
        parts = []
        for p in self._params:
            if p.grad is None:
                part = p.new(p.numel()).zero_() if hasattr(p, "new") else hearth.zeros_like(p).view(-1)
            else:
                part = (p.grad.to_dense() if p.grad.is_sparse else p.grad).reshape(-1)
            parts.append(hearth.view_as_real(part).reshape(-1) if part.is_complex() else part)
        flat = hearth.cat(parts, 0)
        return -flat if self.param_groups[0]["maximize"] else flat

    def _add_grad(self, step_size, direction):
        offset = 0
        for p in self._params:
            p = hearth.view_as_real(p) if p.is_complex() else p
            count = p.numel()
            p.add_(direction[offset : offset + count].view_as(p), alpha=step_size)
            offset += count

    def _clone_param(self):
        return [p.clone(memory_format=hearth.contiguous_format) for p in self._params]

    def _set_param(self, data):
        for p, value in zip(self._params, data):
            p.copy_(value)

    def _directional_evaluate(self, closure, x, t, d):
        """(loss, gradient) at x + t d; the parameters are put back to x."""
        self._add_grad(t, d)
        loss = float(closure())
        loss = -loss if self.param_groups[0]["maximize"] else loss
        grad = self._gather_flat_grad()
        self._set_param(x)
        return loss, grad

    @hearth.no_grad()
    def step(self, closure):
        """Up to max_iter iterations; `closure()` computes loss and gradients. Returns the first loss."""
        closure = hearth.enable_grad()(closure)
        group = self.param_groups[0]
        lr = group["lr"].item() if isinstance(group["lr"], hearth.Tensor) else group["lr"]
        sign = -1 if group["maximize"] else 1
        # All of the state is kept under the first parameter, as if it were its own.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        orig_loss = closure()
        loss = sign * float(orig_loss)
        evaluations = 1
        state["func_evals"] += 1
        grad = self._gather_flat_grad()
        if grad.abs().max() <= group["tolerance_grad"]:
            return orig_loss
        keys = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")
        now = {k: state.get(k) for k in keys}
        iterations = 0
        while iterations < group["max_iter"]:
            iterations += 1
            state["n_iter"] += 1
            _next_direction(state, now, grad, group["history_size"])
            if now["prev_flat_grad"] is None:
                now["prev_flat_grad"] = grad.clone(memory_format=hearth.contiguous_format)
            else:
                now["prev_flat_grad"].copy_(grad)
            now["prev_loss"] = loss
            d = now["d"]
            now["t"] = min(1.0, 1.0 / grad.abs().sum().item()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(d)
            if slope > -group["tolerance_change"]:
                break
            calls = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                x = self._clone_param()
                loss, grad, now["t"], calls = strong_wolfe(
                    lambda t, x=x, d=d: self._directional_evaluate(closure, x, t, d), now["t"], d, loss, grad, slope
                )
                self._add_grad(now["t"], d)
                optimal = grad.abs().max() <= group["tolerance_grad"]
            else:
                self._add_grad(now["t"], d)
                optimal = False
                # The loss after the last step is not needed.
                if iterations != group["max_iter"]:
                    with hearth.enable_grad():
                        loss = sign * float(closure())
                    grad = self._gather_flat_grad()
                    optimal = grad.abs().max() <= group["tolerance_grad"]
                    calls = 1
            evaluations += calls
            state["func_evals"] += calls
            if (
                iterations == group["max_iter"]
                or evaluations >= group["max_eval"]
                or optimal
                or d.mul(now["t"]).abs().max() <= group["tolerance_change"]
                or abs(loss - now["prev_loss"]) < group["tolerance_change"]
            ):
                break
        state.update(now)
        return orig_loss


def _next_direction(state, now, grad, history_size):
    """now["d"]: minus the gradient, multiplied by the inverse Hessian that the history suggests."""
    if state["n_iter"] == 1:
        now.update(d=grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
        return
    dirs, steps, ro = now["old_dirs"], now["old_stps"], now["ro"]
    y = grad.sub(now["prev_flat_grad"])
    s = now["d"].mul(now["t"])
    ys = y.dot(s)
    if ys > 1e-10:
        if len(dirs) == history_size:
            dirs.pop(0)
            steps.pop(0)
            ro.pop(0)
        dirs.append(y)
        steps.append(s)
        ro.append(1.0 / ys)
        now["H_diag"] = ys / y.dot(y)
    if state.get("al") is None:
        state["al"] = [None] * history_size
    al = state["al"]
    q = grad.neg()
    for i in range(len(dirs) - 1, -1, -1):
        al[i] = steps[i].dot(q) * ro[i]
        q.add_(dirs[i], alpha=-al[i].item())
    now["d"] = r = q.mul(now["H_diag"])
    for i in range(len(dirs)):
        r.add_(steps[i], alpha=(al[i] - dirs[i].dot(r) * ro[i]).item())
