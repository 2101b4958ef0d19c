"""Gaussian process regression in float64: Cholesky, triangular solves, L-BFGS on the marginal likelihood, SVD."""
# compare: --decimals 4 --rel 0.001
import math

import torch


def kernel(a, b, scale, length):
    """Squared exponential covariances of two sets of points on a line."""
    return scale.exp() * torch.exp(-0.5 * (a.unsqueeze(1) - b.unsqueeze(0)).square() / length.exp().square())


def factor(x, parameters):
    scale, length, noise = parameters
    return torch.linalg.cholesky(kernel(x, x, scale, length) + noise.exp() * torch.eye(len(x), dtype=x.dtype))


def negative_log_likelihood(x, y, parameters):
    lower = factor(x, parameters)
    z = torch.linalg.solve_triangular(lower, y.unsqueeze(1), upper=False)
    return 0.5 * z.square().sum() + lower.diagonal().log().sum() + 0.5 * len(x) * math.log(2 * math.pi)


torch.manual_seed(12)
torch.set_default_dtype(torch.float64)
x = torch.linspace(0, 6, 25)
y = torch.sin(x) + 0.1 * torch.randn(25)
parameters = [torch.tensor(value, requires_grad=True) for value in (0.0, -1.0, -2.0)]
optimizer = torch.optim.LBFGS(parameters, lr=0.5, max_iter=30, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = negative_log_likelihood(x, y, parameters)
    loss.backward()
    return loss


print(f"before: {negative_log_likelihood(x, y, parameters).item():.4f}")
optimizer.step(closure)
print(f"after:  {negative_log_likelihood(x, y, parameters).item():.4f}")

with torch.no_grad():
    lower = factor(x, parameters)
    at = torch.tensor([0.5, 2.5, 5.5, 9.0])
    weights = torch.cholesky_solve(y.unsqueeze(1), lower).squeeze(1)
    across = kernel(at, x, *parameters[:2])
    mean = across @ weights
    explained = torch.linalg.solve_triangular(lower, across.T, upper=False).square().sum(dim=0)
    deviation = (parameters[0].exp() - explained).sqrt()
for place, m, d in zip(at.tolist(), mean.tolist(), deviation.tolist()):
    print(f"f({place}) = {m:.3f} +- {d:.3f}")
u, s, vh = torch.linalg.svd(kernel(x, x, *parameters[:2]).detach())
print(f"condition of the kernel's leading part: {(s[0] / s[4]).item():.3f}")
print("svd rebuilds it:", torch.allclose(u @ torch.diag(s) @ vh, kernel(x, x, *parameters[:2]).detach()))
