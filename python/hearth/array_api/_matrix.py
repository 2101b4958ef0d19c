"""Products of matrices and vectors, of all numeric types."""

import hearth

from ._array import Array
from ._elementwise import one, two
from ._shapes import axis_of, broadcast_shapes


def product(a, b):
    """The product of two tensors of one type. Integers are multiplied by parts: kernels want floats."""
    if a.dtype.is_floating_point or a.dtype.is_complex:
        return hearth.matmul(a, b)
    row, column = a.dim() == 1, b.dim() == 1
    a = a.unsqueeze(0) if row else a
    b = b.unsqueeze(-1) if column else b
    batch = broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    result = hearth.zeros([*batch, a.shape[-2], b.shape[-1]], dtype=a.dtype)
    for i in range(a.shape[-1]):
        result = result + a[..., :, i].unsqueeze(-1) * b[..., i, :].unsqueeze(-2)
    if column:
        result = result[..., 0]
    return result[..., 0, :] if row and not column else result[..., 0] if row else result


def matmul(x1, x2, /):
    """The product of matrices (or vectors), in the last two axes; the other axes broadcast."""
    a, b = two(x1, x2, "matmul", "numeric")
    if not a.dim() or not b.dim():
        raise ValueError("matmul: both arrays must have an axis")
    if a.shape[-1] != b.shape[-2 if b.dim() > 1 else -1]:
        raise ValueError(f"matmul: inner sizes differ: {tuple(a.shape)} x {tuple(b.shape)}")
    return Array(product(a, b))


def matrix_transpose(x, /):
    """The matrices of the last two axes, each transposed."""
    tensor = one(x, "matrix_transpose", "any")
    if tensor.dim() < 2:
        raise ValueError(f"matrix_transpose: the array must have 2 axes or more: it has {tensor.dim()}")
    return Array(tensor.transpose(-2, -1))


def tensordot(x1, x2, /, *, axes=2):
    """The sums of products over axes of both: as many as `axes` at x1's end and x2's start, or a pair of lists."""
    a, b = two(x1, x2, "tensordot", "numeric")
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.dim(), b.dim()):
            raise ValueError(f"tensordot: {axes} axes do not exist in both arrays")
        left, right = list(range(a.dim() - axes, a.dim())), list(range(axes))
    else:
        left = [axis_of(axis, a.dim(), "tensordot") for axis in axes[0]]
        right = [axis_of(axis, b.dim(), "tensordot") for axis in axes[1]]
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ValueError("tensordot: sizes of the summed axes differ")
    rows = [i for i in range(a.dim()) if i not in left]
    columns = [i for i in range(b.dim()) if i not in right]
    inner = 1
    for i in left:
        inner *= a.shape[i]
    shape_a, shape_b = [a.shape[i] for i in rows], [b.shape[i] for i in columns]
    size_a, size_b = _size(shape_a), _size(shape_b)
    result = product(
        a.permute(rows + left).reshape([size_a, inner]), b.permute(right + columns).reshape([inner, size_b])
    )
    return Array(result.reshape(shape_a + shape_b))


def _size(shape):
    size = 1
    for n in shape:
        size *= n
    return size


def vecdot(x1, x2, /, *, axis=-1):
    """The sums of conj(x1) * x2 along an axis (counted from the end)."""
    a, b = two(x1, x2, "vecdot", "numeric")
    if not -min(a.dim(), b.dim()) <= axis < 0:
        raise ValueError(f"vecdot: axis {axis} is not a negative axis of both arrays")
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(f"vecdot: sizes differ: {a.shape[axis]} and {b.shape[axis]}")
    a = hearth.conj(a).resolve_conj() if a.dtype.is_complex else a
    return Array(hearth.sum(a.movedim(axis, -1) * b.movedim(axis, -1), -1, dtype=a.dtype))
