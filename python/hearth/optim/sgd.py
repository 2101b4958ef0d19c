"""SGD: stochastic gradient descent, with momentum."""

import hearth

from .rule import Rule, check_fused, number

__all__ = ["SGD", "sgd"]

_sgd_group = hearth._C._sgd_group


class SGD(Rule):
    """p -= lr * g, or with momentum p -= lr * buffer, buffer = momentum * buffer + (1 - dampening) * g."""

    def __init__(
        self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False,
        foreach=None, differentiable=False, fused=None,
    ) -> None:  # fmt: skip
        if isinstance(lr, hearth.Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = dict(
            lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov,
            maximize=maximize, foreach=foreach, differentiable=differentiable, fused=fused,
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
            if _sgd_group(self.state, group):
                continue
            if group["differentiable"]:
                self.step_group(group)
            else:
                with hearth.no_grad():
                    self.step_group(group)
        return loss

    def step_group(self, group):
        for p in group["params"]:
            if p.grad is not None:
                state = self.state[p] if group["momentum"] != 0 else {}
                self.update_one(group, p, p.grad, state)

    def update_one(self, group, p, grad, state):
        grad = -grad if group["maximize"] else grad
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=number(group["weight_decay"]))
        momentum = group["momentum"]
        if momentum != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = grad.clone() if group["differentiable"] else grad.detach().clone()
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
        lr = group["lr"]
        if isinstance(lr, hearth.Tensor) and lr.requires_grad and group["differentiable"]:
            p.addcmul_(grad, lr, value=-1)
        else:
            p.add_(grad, alpha=-number(lr))


def sgd(
    params, d_p_list, momentum_buffer_list, has_sparse_grad=False, foreach=None, fused=None, grad_scale=None,
    found_inf=None, *, weight_decay, momentum, lr, dampening, nesterov, maximize,
):  # fmt: skip
    """One step on lists of tensors, in place: the functional form of SGD; buffers that are None are made."""
    group = dict(
        lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov,
        maximize=maximize, differentiable=False,
    )  # fmt: skip
    rule = SGD.__new__(SGD)
    with hearth.no_grad():
        for i, (p, grad) in enumerate(zip(params, d_p_list)):
            state = {} if momentum_buffer_list[i] is None else {"momentum_buffer": momentum_buffer_list[i]}
            rule.update_one(group, p, grad, state)
            momentum_buffer_list[i] = state.get("momentum_buffer")
