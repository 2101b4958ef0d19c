"""The standard's linalg extension over hearth.linalg."""

from collections import namedtuple

import hearth

from ._array import Array
from ._elementwise import one, two
from ._matrix import matmul, matrix_transpose, tensordot, vecdot
from ._shapes import axes_of, broadcast_shapes
from ._statistics import sum as _sum

EighResult = namedtuple("EighResult", ["eigenvalues", "eigenvectors"])
EigResult = namedtuple("EigResult", ["eigenvalues", "eigenvectors"])
QRResult = namedtuple("QRResult", ["Q", "R"])
SlogdetResult = namedtuple("SlogdetResult", ["sign", "logabsdet"])
SVDResult = namedtuple("SVDResult", ["U", "S", "Vh"])
__all__ = """cholesky cross det diagonal eig eigh eigvals eigvalsh inv matmul matrix_norm matrix_power matrix_rank
matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm""".split()


def _call(op, x, *args, **kwargs):
    return getattr(hearth.linalg, op)(one(x, op, "floating"), *args, **kwargs)


def cholesky(x, /, *, upper=False):
    """The triangular factor of positive definite matrices."""
    return Array(_call("cholesky", x, upper=upper))


def cross(x1, x2, /, *, axis=-1):
    """The vector product of vectors of size 3 along an axis (counted from the end)."""
    a, b = two(x1, x2, "cross", "numeric")
    if not -min(a.dim(), b.dim()) <= axis < 0:
        raise ValueError(f"cross: axis {axis} is not a negative axis of both arrays")
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ValueError(f"cross: the axis must have size 3 in both: {a.shape[axis]} and {b.shape[axis]}")
    shape = broadcast_shapes(tuple(a.shape), tuple(b.shape))
    a, b = (x.expand(shape).movedim(axis, 0) for x in (a, b))
    parts = [a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return Array(hearth.stack(parts, len(shape) + axis))


def det(x, /):
    """The determinants of square matrices."""
    return Array(_call("det", x))


def diagonal(x, /, *, offset=0):
    """The diagonals of the matrices of the last two axes."""
    tensor = one(x, "diagonal", "any")
    if abs(offset) > max(tensor.shape[-2:]):
        return Array(tensor.new_empty((*tensor.shape[:-2], 0)))
    return Array(tensor.diagonal(offset, -2, -1))


def eigh(x, /):
    """The eigenvalues, rising, and eigenvectors of symmetric or Hermitian matrices."""
    return EighResult(*map(Array, _call("eigh", x)))


def eigvalsh(x, /):
    """The eigenvalues of symmetric or Hermitian matrices, rising."""
    return Array(_call("eigvalsh", x))


def eig(x, /):
    """The eigenvalues and eigenvectors of square matrices, complex."""
    return EigResult(*map(Array, _call("eig", x)))


def eigvals(x, /):
    """The eigenvalues of square matrices, complex."""
    return Array(_call("eigvals", x))


def inv(x, /):
    """The inverses of square matrices."""
    return Array(_call("inv", x))


def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """The norms of matrices: "fro", "nuc", 1, 2, inf or one of these negated; None is "fro"."""
    tensor = one(x, "matrix_norm", "floating")
    return Array(hearth.linalg.matrix_norm(tensor, "fro" if ord is None else ord, (-2, -1), keepdims))


def matrix_power(x, n, /):
    """The n-th powers of square matrices; n may be negative."""
    return Array(_call("matrix_power", x, n))


def matrix_rank(x, /, *, rtol=None):
    """How many singular values of each matrix are larger than rtol times its largest."""
    tensor = one(x, "matrix_rank", "floating")
    if tensor.dim() < 2:
        raise ValueError(f"matrix_rank: the array must have 2 axes or more: it has {tensor.dim()}")
    if 0 in tensor.shape[-2:]:
        return Array(hearth.zeros(tensor.shape[:-2], dtype=hearth.int64))
    singular = hearth.linalg.svdvals(tensor)
    cut = hearth.amax(singular, -1, keepdim=True) * _relative(rtol, tensor, singular)
    return Array(hearth.sum((singular > cut).long(), -1))


def _relative(rtol, tensor, singular):
    if rtol is None:
        return max(tensor.shape[-2:]) * hearth.finfo(tensor.dtype).eps
    return (
        rtol if isinstance(rtol, (int, float)) else one(rtol, "rtol", "real floating").to(singular.dtype).unsqueeze(-1)
    )


def outer(x1, x2, /):
    """All products of an element of one vector with one of the other."""
    a, b = two(x1, x2, "outer", "numeric")
    if a.dim() != 1 or b.dim() != 1:
        raise ValueError(f"outer: vectors are needed: the arrays have {a.dim()} and {b.dim()} axes")
    return Array(a.unsqueeze(1) * b.unsqueeze(0))


def pinv(x, /, *, rtol=None):
    """The pseudo-inverses of matrices; singular values up to rtol times the largest count as 0."""
    tensor = one(x, "pinv", "floating")
    u, singular, vh = hearth.linalg.svd(tensor, full_matrices=False)
    if singular.numel() == 0:
        return Array(hearth.zeros([*tensor.shape[:-2], tensor.shape[-1], tensor.shape[-2]], dtype=tensor.dtype))
    cut = hearth.amax(singular, -1, keepdim=True) * _relative(rtol, tensor, singular)
    inverse = hearth.where(singular > cut, 1 / singular, hearth.zeros_like(singular)).to(tensor.dtype)
    return Array(hearth.matmul(vh.mH * inverse.unsqueeze(-2), u.mH))


def qr(x, /, *, mode="reduced"):
    """Matrices as an orthogonal factor times a triangular one; "reduced" or "complete"."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode is 'reduced' or 'complete': got {mode!r}")
    return QRResult(*map(Array, _call("qr", x, mode=mode)))


def slogdet(x, /):
    """The signs of the determinants and the logarithms of their sizes."""
    return SlogdetResult(*map(Array, _call("slogdet", x)))


def solve(x1, x2, /):
    """The solutions y of x1 @ y = x2; x2 is one vector or stacked matrices of columns."""
    a, b = two(x1, x2, "solve", "floating")
    if b.dim() == 1:
        return Array(hearth.linalg.solve(a, b.unsqueeze(-1)).squeeze(-1))
    # Stacked matrices in any case: hearth.linalg.solve would take some of these for stacked vectors.
    batch = broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    return Array(hearth.linalg.solve(a.expand([*batch, *a.shape[-2:]]), b.expand([*batch, *b.shape[-2:]])))


def svd(x, /, *, full_matrices=True):
    """Matrices as U, their singular values, falling, and V transposed and conjugated."""
    return SVDResult(*map(Array, _call("svd", x, full_matrices=full_matrices)))


def svdvals(x, /):
    """The singular values of matrices, falling."""
    return Array(_call("svdvals", x))


def trace(x, /, *, offset=0, dtype=None):
    """The sums of the diagonals of matrices."""
    one(x, "trace", "numeric")
    return _sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """The norms of vectors along these axes (of all of x, when None); ord is any number, inf and -inf included."""
    tensor = one(x, "vector_norm", "floating")
    axes = axes_of(axis, tensor.dim(), "vector_norm")
    size = hearth.abs(tensor)
    if not axes:
        return Array((size != 0).to(size.dtype) if ord == 0 else size)
    return Array(hearth.linalg.vector_norm(size, ord, axes, keepdims))
