"""Sums, means, extremes and the like over axes."""

import hearth

from ._array import Array, tensor_of
from ._dtypes import KINDS
from ._elementwise import one
from ._shapes import axes_of, axis_of
from ._shapes import concat as _concat


def _sum_type(dtype, wanted):
    """The type that sums and products of this type have."""
    if wanted is not None:
        return wanted
    if dtype in KINDS["unsigned integer"]:
        return hearth.uint64
    return hearth.int64 if dtype in KINDS["integral"] else dtype


def _kept(tensor, axes):
    for axis in sorted(axes):
        tensor = tensor.unsqueeze(axis)
    return tensor


def _one_axis(tensor, axes):
    """The tensor with these axes joined into one, the last."""
    others = [axis for axis in range(tensor.dim()) if axis not in axes]
    moved = tensor.permute(others + axes)
    size = 1
    for axis in axes:
        size *= tensor.shape[axis]
    return moved.reshape([tensor.shape[axis] for axis in others] + [size])


def over(tensor, axis, keepdims, op, run):
    """run(joined) with the reduced axes joined as the last one of `joined`; the result's axes put right."""
    axes = axes_of(axis, tensor.dim(), op)
    result = run(_one_axis(tensor, axes))
    return Array(_kept(result, axes) if keepdims else result)


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """The sum over these axes (all, when None), in int64, uint64 or a floating type."""
    tensor = one(x, "sum", "numeric")
    wide = tensor.to(_sum_type(tensor.dtype, dtype))
    return over(wide, axis, keepdims, "sum", lambda t: hearth.sum(t, -1, dtype=t.dtype))


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    """The product over these axes (all, when None), in int64, uint64 or a floating type."""
    tensor = one(x, "prod", "numeric")
    wide = tensor.to(_sum_type(tensor.dtype, dtype))
    return over(wide, axis, keepdims, "prod", lambda t: hearth.prod(t, -1, dtype=t.dtype))


def max(x, /, *, axis=None, keepdims=False):
    """The largest element over these axes; NaN where there is one."""
    return over(one(x, "max", "real"), axis, keepdims, "max", lambda t: hearth.amax(t, -1))


def min(x, /, *, axis=None, keepdims=False):
    """The smallest element over these axes; NaN where there is one."""
    return over(one(x, "min", "real"), axis, keepdims, "min", lambda t: hearth.amin(t, -1))


def mean(x, /, *, axis=None, keepdims=False):
    """The mean over these axes."""
    return over(one(x, "mean", "floating"), axis, keepdims, "mean", lambda t: hearth.mean(t, -1))


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    """The variance over these axes, divided by their number of elements less `correction`."""
    return over(one(x, "var", "real floating"), axis, keepdims, "var", lambda t: _variance(t, correction))


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    """The square root of var."""
    return over(one(x, "std", "real floating"), axis, keepdims, "std", lambda t: hearth.sqrt(_variance(t, correction)))


def _variance(t, correction):
    centred = t - hearth.mean(t, -1, keepdim=True)
    left = t.shape[-1] - correction
    total = hearth.sum(centred * centred, -1)
    return total / left if left > 0 else hearth.full_like(total, float("nan"))


def _cumulative(x, axis, dtype, include_initial, op, run, first):
    tensor = one(x, op, "numeric")
    if axis is None:
        if tensor.dim() != 1:
            raise ValueError(f"{op}: axis is needed for an array of {tensor.dim()} axes")
        axis = 0
    axis = axis_of(axis, tensor.dim(), op)
    wide = tensor.to(_sum_type(tensor.dtype, dtype))
    result = run(wide, axis, dtype=wide.dtype)
    if include_initial:
        shape = list(tensor.shape)
        shape[axis] = 1
        result = _concat([hearth.full(shape, first, dtype=wide.dtype), result], axis=axis).tensor
    return Array(result)


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """The sums of the elements up to each along an axis; include_initial puts the 0 of no elements in front."""
    return _cumulative(x, axis, dtype, include_initial, "cumulative_sum", hearth.cumsum, 0)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """The products of the elements up to each along an axis; include_initial puts the 1 of no elements in front."""
    return _cumulative(x, axis, dtype, include_initial, "cumulative_prod", hearth.cumprod, 1)


def all(x, /, *, axis=None, keepdims=False):
    """Whether all elements over these axes are true (not zero)."""
    return over(tensor_of(x, "all") != 0, axis, keepdims, "all", lambda t: hearth.all(t, -1))


def any(x, /, *, axis=None, keepdims=False):
    """Whether any element over these axes is true (not zero)."""
    return over(tensor_of(x, "any") != 0, axis, keepdims, "any", lambda t: hearth.any(t, -1))


def count_nonzero(x, /, *, axis=None, keepdims=False):
    """How many elements over these axes are not zero."""
    return over(
        (tensor_of(x, "count_nonzero") != 0).long(), axis, keepdims, "count_nonzero", lambda t: hearth.sum(t, -1)
    )


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    """The n-th differences of neighbours along an axis, after joining `prepend` and `append` to its ends."""
    tensor = one(x, "diff", "numeric")
    axis = axis_of(axis, tensor.dim(), "diff")
    parts = [part for part in (prepend, Array(tensor), append) if part is not None]
    if len(parts) > 1 and n > 0:
        tensor = _concat(parts, axis=axis).tensor
    for _ in range(n):
        size = tensor.shape[axis]
        if size == 0:
            break
        tensor = tensor.narrow(axis, 1, size - 1) - tensor.narrow(axis, 0, size - 1)
    return Array(tensor.clone() if n == 0 else tensor)


def argmax(x, /, *, axis=None, keepdims=False):
    """Where the largest element along an axis (in all of x, when None) is; the first one."""
    return _place(x, axis, keepdims, "argmax")


def argmin(x, /, *, axis=None, keepdims=False):
    """Where the smallest element along an axis (in all of x, when None) is; the first one."""
    return _place(x, axis, keepdims, "argmin")


def _place(x, axis, keepdims, op):
    tensor = one(x, op, "real")
    if axis is not None:
        axis = axis_of(axis, tensor.dim(), op)
    return over(tensor, axis, keepdims, op, lambda t: getattr(hearth, op)(t, -1))
