"""Approximate singular values and principal components of large matrices, by random projections."""
from .. import _C
from .._function import _package, function


def _adjoint(x):
    return x.transpose(-2, -1).conj() if x.is_complex() else x.transpose(-2, -1)


def _basis(a, q, niter, mean=None):
    """Orthonormal columns near the range of a - mean (Halko et al. 2009, algorithms 4.3 and 4.4)."""
    def forward(x):
        return a @ x if mean is None else a @ x - mean @ x

    def backward(x):
        return _adjoint(a) @ x if mean is None else _adjoint(a) @ x - _adjoint(mean) @ x

    start = _package.randn(a.shape[-1], q, dtype=a.dtype)
    columns = _C._linalg_qr(forward(start)).Q
    for _ in range(niter):
        columns = _C._linalg_qr(backward(columns)).Q
        columns = _C._linalg_qr(forward(columns)).Q
    return columns


def _lowrank(a, q, niter, mean):
    """U, S, V of a - mean, whose smaller side goes through the projection."""
    if a.shape[-2] < a.shape[-1]:
        u, s, v = _lowrank(_adjoint(a), q, niter, None if mean is None else _adjoint(mean))
        return v, s, u
    basis = _basis(a, q, niter, mean)
    small = _adjoint(basis) @ a if mean is None else _adjoint(basis) @ a - _adjoint(basis) @ mean
    u, s, vh = _C._linalg_svd(small, full_matrices=False)
    return basis @ u, s, _adjoint(vh)


def _check(name, q, least, niter):
    if not 0 <= q <= least:
        raise ValueError(f"{name}: q must be from 0 to {least}: {q}")
    if niter < 0:
        raise ValueError(f"{name}: niter must not be negative: {niter}")


@function()
def svd_lowrank(A, q=6, niter=2, M=None):
    """U, S, V near A (near A - M) of rank q, by random projection and niter subspace iterations."""
    _check("svd_lowrank", q, min(A.shape[-2:]), niter)
    return _lowrank(A, q, niter, None if M is None else M.expand(A.shape))


@function()
def pca_lowrank(A, q=None, center=True, niter=2):
    """U, S, V near A with its columns' means taken away (if center) of rank q, by default at most 6."""
    rows, columns = A.shape[-2:]
    q = min(6, rows, columns) if q is None else q
    _check("pca_lowrank", q, min(rows, columns), niter)
    mean = A.mean(dim=-2, keepdim=True) if center else None
    return _lowrank(A if mean is None else A - mean, q, niter, None)
