"""Adam (Kingma and Ba 2015), with AdamW's decoupled decay and AMSGrad as options."""

import hearth

from .rule import Rule, check_betas, check_fused, check_lr, count, number, step_count, zeros

__all__ = ["Adam", "adam"]

_adam_group = hearth._C._adam_group


class Adam(Rule):
    """Steps of size lr along m / (sqrt(v) + eps), m and v the running means of gradient and squared gradient."""

    adds_decay = False

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *, foreach=None,
        maximize=False, capturable=False, differentiable=False, fused=None, decoupled_weight_decay=False,
    ) -> None:  # fmt: skip
        check_lr(lr, foreach, capturable)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if isinstance(betas[0], hearth.Tensor) != isinstance(betas[1], hearth.Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        if isinstance(betas[0], hearth.Tensor):
            for i in range(2):
                if not capturable and foreach:
                    raise ValueError(
                        f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
                    )
                if betas[i].numel() != 1:
                    raise ValueError(f"Tensor betas[{i}] must be 1-element")
        defaults = dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
            foreach=foreach, capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)

    def step(self, closure=None):
        """Change the parameters once. `closure()` is called first, with gradients on; its result is returned."""
        loss = None
        if closure is not None:
            with hearth.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if not _adam_group(self.state, group):
                self._step_slowly(group)
        return loss

    def _step_slowly(self, group):
        """The first step, which makes the state, and kinds of tensors that the fused update does not take."""
        made = False
        if not group["capturable"]:
            with hearth.no_grad():
                for p in group["params"]:
                    if p.grad is not None and not p.grad.is_sparse and len(self.state[p]) == 0:
                        self.state[p].update(self.new_state(group, p))
                        made = True
        if made and _adam_group(self.state, group):
            return
        if group["differentiable"]:
            self.step_group(group)
        else:
            with hearth.no_grad():
                self.step_group(group)

    def refuse_sparse(self):
        raise RuntimeError("Adam does not support sparse gradients, please consider SparseAdam instead")

    def new_state(self, group, p):
        state = {"step": step_count(), "exp_avg": zeros(p), "exp_avg_sq": zeros(p)}
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros(p)
        return state

    def update(self, group, p, grad, state):
        differentiable = group["differentiable"]
        beta1, beta2 = (b if differentiable else number(b) for b in group["betas"])
        lr = group["lr"] if differentiable else number(group["lr"])
        average, squares = state["exp_avg"], state["exp_avg_sq"]
        step = count(state)
        decay = group["weight_decay"]
        if decay != 0 and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * decay)
        elif decay != 0:
            grad = grad.add(p, alpha=decay)
        average.lerp_(grad, 1 - beta1)
        if differentiable and isinstance(beta2, hearth.Tensor):
            squares.mul_(beta2).add_(grad * grad * (1 - beta2))
        else:
            squares.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        step_size = lr / (1 - beta1**step)
        correction = (1 - beta2**step) ** 0.5
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            largest.copy_(hearth.maximum(largest.clone() if differentiable else largest, squares))
            squares = largest
        if isinstance(step_size, hearth.Tensor):
            # A rate that is itself differentiated cannot be a number of addcdiv.
            p.sub_(step_size * average / (squares.sqrt() / correction).add(group["eps"]))
        else:
            p.addcdiv_(average, (squares.sqrt() / correction).add_(group["eps"]), value=-step_size)


def adam(
    params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps, foreach=None, capturable=False,
    differentiable=False, fused=None, grad_scale=None, found_inf=None, has_complex=False, decoupled_weight_decay=False,
    *, amsgrad, beta1, beta2, lr, weight_decay, eps, maximize,
):  # fmt: skip
    """One step on lists of tensors, in place: the functional form of Adam."""
    group = dict(
        lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
        capturable=capturable, differentiable=differentiable, decoupled_weight_decay=decoupled_weight_decay,
    )  # fmt: skip
    rule = Adam.__new__(Adam)
    with hearth.no_grad():
        for i, (p, grad) in enumerate(zip(params, grads)):
            state = {"step": state_steps[i], "exp_avg": exp_avgs[i], "exp_avg_sq": exp_avg_sqs[i]}
            if amsgrad:
                state["max_exp_avg_sq"] = max_exp_avg_sqs[i]
            rule.update_one(group, p, grad, state)
