"""Ready-made parametrizations: orthogonal matrices, weight norm, spectral norm."""

import hearth

from .. import functional as F
from ..modules.module import Module
from . import parametrize

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _is_orthogonal(q, eps=None):
    n, k = q.size(-2), q.size(-1)
    identity = hearth.eye(k, dtype=q.dtype, device=q.device)
    eps = 10.0 * n * hearth.finfo(q.dtype).eps
    return hearth.allclose(q.mH @ q, identity, atol=eps)


def _make_orthogonal(a):
    """An orthogonal matrix near `a`, by QR with the signs of R's diagonal taken into Q."""
    q, r = hearth.linalg.qr(a)
    return q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """Maps a matrix [..., n, k] to an orthogonal one, starting at `base` when there is one."""

    def __init__(self, weight, orthogonal_map, *, use_trivialization=True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x):
        n, k = x.size(-2), x.size(-1)
        transposed = n < k
        if transposed:
            x, n, k = x.mT, k, n
        if self.orthogonal_map == "householder":
            q = hearth.linalg.householder_product(x, _householder_factors(x))
            q = q * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            q = self._from_skew(x, n, k)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if transposed else q

    def _from_skew(self, x, n, k):
        lower = x.tril()
        if n != k:
            lower = hearth.cat([lower, lower.new_zeros(n, n - k).expand(*lower.shape[:-2], -1, -1)], dim=-1)
        skew = lower - lower.mH
        if self.orthogonal_map == "matrix_exp":
            q = hearth.matrix_exp(skew)
        else:
            # Cayley's map: (I - A / 2)^-1 (I + A / 2).
            identity = hearth.eye(n, dtype=skew.dtype, device=skew.device)
            q = hearth.linalg.solve(identity - 0.5 * skew, identity + 0.5 * skew)
        return q[..., :k] if n != k else q

    def right_inverse(self, q):
        if q.shape != self.shape:
            raise ValueError(f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {q.shape}.")
        n, k = q.size(-2), q.size(-1)
        transposed = n < k
        if transposed:
            q, n, k = q.mT, k, n
        if not hasattr(self, "base"):
            a = self._inverse_by_reflections(q)
            return a.mT if transposed else a
        if n == k:
            q = q.clone() if _is_orthogonal(q) else _make_orthogonal(q)
        else:
            # The base is square: the missing columns are drawn.
            rest = hearth.randn(*(q.shape[:-2] + (n, n - k)), dtype=q.dtype, device=q.device)
            q = _make_orthogonal(hearth.cat([q, rest], dim=-1))
        self.base = q
        negative_identity = hearth.zeros_like(q)
        negative_identity.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        result = negative_identity[..., :k] if n != k else negative_identity
        return result.mT if transposed else result

    def _inverse_by_reflections(self, q):
        if self.orthogonal_map in ("cayley", "matrix_exp"):
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        a, tau = hearth.geqrf(q)
        # R is diagonal with entries of modulus 1; its signs are kept on the diagonal of the reflectors.
        a.diagonal(dim1=-2, dim2=-1).sign_()
        a.diagonal(dim1=-2, dim2=-1)[tau == 0.0] *= -1
        return a


def _householder_factors(x):
    lower = x.tril(diagonal=-1)
    return 2.0 / (1.0 + (lower * lower).sum(dim=-2))


def orthogonal(module, name: str = "weight", orthogonal_map=None, *, use_trivialization: bool = True):
    """Keep the matrix `module.name` orthogonal while it is trained, by "matrix_exp", "cayley" or "householder".

    Raises ValueError. Example: orthogonal(hearth.nn.Linear(20, 40))
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, hearth.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1) or weight.is_complex()
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    orth = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, orth, unsafe=True)


class _WeightNorm(Module):
    """v scaled to the norm g, over all dimensions but `dim`."""

    def __init__(self, dim=0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return hearth._weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight):
        return hearth.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module, name: str = "weight", dim: int = 0):
    """Train a weight as its norm (original0) and its direction (original1) (Salimans and Kingma 2016)."""
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def old_names(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        for i, end in enumerate(("_g", "_v")):
            if f"{prefix}{name}{end}" in state_dict:
                value = state_dict.pop(f"{prefix}{name}{end}")
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = value

    module._register_load_state_dict_pre_hook(old_names)
    return module


class _SpectralNorm(Module):
    """The weight divided by its largest singular value, found by power iteration."""

    def __init__(self, weight, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if dim >= weight.ndim or dim < -weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim if dim >= 0 else dim + weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._as_matrix(weight)
            h, w = matrix.size()
            u = matrix.new_empty(h).normal_(0, 1)
            v = matrix.new_empty(w).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=self.eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=self.eps))
            # Enough rounds for a first value that is near the singular value.
            self._power_method(matrix, 15)

    def _as_matrix(self, weight):
        if self.dim != 0:
            weight = weight.permute(self.dim, *(d for d in range(weight.dim()) if d != self.dim))
        return weight.flatten(1)

    @hearth.no_grad()
    def _power_method(self, matrix, rounds: int) -> None:
        for _ in range(rounds):
            self._u = F.normalize(hearth.mv(matrix, self._v), dim=0, eps=self.eps, out=self._u)
            self._v = F.normalize(hearth.mv(matrix.H, self._u), dim=0, eps=self.eps, out=self._v)

    def forward(self, weight):
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Clones: the next power iteration writes into the buffers that backward still needs.
        u = self._u.clone(memory_format=hearth.contiguous_format)
        v = self._v.clone(memory_format=hearth.contiguous_format)
        return weight / hearth.vdot(u, hearth.mv(matrix, v))

    def right_inverse(self, value):
        return value


def spectral_norm(module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim=None):
    """Divide a weight by its largest singular value (Miyato et al. 2018)."""
    weight = getattr(module, name, None)
    if not isinstance(weight, hearth.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        transposed = (hearth.nn.ConvTranspose1d, hearth.nn.ConvTranspose2d, hearth.nn.ConvTranspose3d)
        dim = 1 if isinstance(module, transposed) else 0
    parametrize.register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
    return module
