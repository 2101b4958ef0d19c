"""Custom autograd Functions: a straight-through quantiser, a log-sum-exp with its own backward, second derivatives."""
# compare: --decimals 4
import torch


class Quantise(torch.autograd.Function):
    """Rounds to multiples of `step`; gradients pass as if nothing had happened."""

    @staticmethod
    def forward(ctx, x, step):
        return torch.round(x / step) * step

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


class LogSumExp(torch.autograd.Function):
    """log(sum(exp(x))) over the last axis."""

    @staticmethod
    def forward(ctx, x):
        top = x.max(dim=-1, keepdim=True).values
        value = (x - top).exp().sum(dim=-1).log() + top.squeeze(-1)
        ctx.save_for_backward(x, value)
        return value

    @staticmethod
    def backward(ctx, gradient):
        x, value = ctx.saved_tensors
        return gradient.unsqueeze(-1) * (x - value.unsqueeze(-1)).exp()


torch.manual_seed(7)
x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
print("gradcheck:", torch.autograd.gradcheck(LogSumExp.apply, (x,)))
print("value agrees:", torch.allclose(LogSumExp.apply(x), torch.logsumexp(x, -1)))

weights = torch.tensor([0.9, 0.3, -0.6], requires_grad=True)
inputs, wanted = torch.randn(64, 3), torch.tensor([0.5, -1.0, 0.25])
targets = inputs @ wanted
optimizer = torch.optim.SGD([weights], lr=0.04)
for step in range(41):
    loss = (inputs @ Quantise.apply(weights, 0.25) - targets).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step:2d}  loss {loss.item():.4f}  weights", [round(w, 4) for w in weights.tolist()])
print("quantised:", Quantise.apply(weights, 0.25).tolist())

v = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
first, = torch.autograd.grad((v**3).sum(), v, create_graph=True)
second, = torch.autograd.grad(first.sum(), v)
print("first:", first.tolist(), "second:", second.tolist())

seen = []
handle = v.register_hook(lambda g: seen.append(g.clone()))
(v * 2).sum().backward()
handle.remove()
print("hook saw:", seen[0].tolist(), "grad:", v.grad.tolist())
