"""Sorting, searching, taking by index, and sets of values."""

from collections import namedtuple

import hearth

from ._array import Array, tensor_of
from ._elementwise import one, two
from ._shapes import axis_of

AllResult = namedtuple("unique_all_result", ["values", "indices", "inverse_indices", "counts"])
CountsResult = namedtuple("unique_counts_result", ["values", "counts"])
InverseResult = namedtuple("unique_inverse_result", ["values", "inverse_indices"])


def _order(tensor, axis, descending):
    return hearth.sort(tensor, stable=True, dim=axis, descending=descending)


def sort(x, /, *, axis=-1, descending=False, stable=True):
    """x sorted along an axis; NaNs are larger than all else. The order of equals is kept in any case."""
    tensor = one(x, "sort", "real")
    return Array(_order(tensor, axis_of(axis, tensor.dim(), "sort"), descending)[0])


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    """The indices that sort x along an axis. The order of equals is kept in any case."""
    tensor = one(x, "argsort", "real")
    return Array(_order(tensor, axis_of(axis, tensor.dim(), "argsort"), descending)[1])


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    """Where in the sorted vector x1 (sorted by `sorter`) each number of x2 belongs, before or after equals."""
    a, b = two(x1, x2, "searchsorted", "real")
    if a.dim() != 1:
        raise ValueError(f"searchsorted: x1 must have one axis: it has {a.dim()}")
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side is 'left' or 'right': got {side!r}")
    if sorter is not None:
        a = a[tensor_of(sorter, "searchsorted").long()]
    return Array(_positions(a, b, side == "right"))


def _positions(a, b, right):
    """Halves the span of places that are left, for all of b at once."""
    low, high = hearth.zeros(b.shape, dtype=hearth.int64), hearth.full(b.shape, a.shape[0], dtype=hearth.int64)
    for _ in range(a.shape[0].bit_length()):
        open_ = low < high
        middle = (low + high) // 2
        value = a[hearth.minimum(middle, hearth.full_like(middle, a.shape[0] - 1))]
        before = (_not_less(b, value) if right else _less(value, b)) & open_
        low, high = hearth.where(before, middle + 1, low), hearth.where(open_ & ~before, middle, high)
    return low


def _less(a, b):
    """a < b in the order of sort, where NaN comes last."""
    return (a < b) | ((a == a) & (b != b)) if a.dtype.is_floating_point else a < b


def _not_less(a, b):
    return ~_less(a, b)


def nonzero(x, /):
    """The indices of the elements that are not zero, as one array an axis."""
    tensor = tensor_of(x, "nonzero")
    if tensor.dim() == 0:
        raise ValueError("nonzero: the array must have an axis")
    places = hearth.nonzero(tensor)
    return tuple(Array(places[:, i]) for i in range(tensor.dim()))


def where(condition, x1, x2, /):
    """x1 where the condition holds, x2 elsewhere."""
    test = one(condition, "where", "bool")
    a, b = two(x1, x2, "where", "any")
    return Array(hearth.where(test, a, b))


def take(x, indices, /, *, axis=None):
    """The elements of x at these indices (a vector) along an axis; negative ones count from the end."""
    tensor, index = tensor_of(x, "take"), one(indices, "take", "integral").long()
    if axis is None:
        if tensor.dim() != 1:
            raise ValueError(f"take: axis is needed for an array of {tensor.dim()} axes")
        axis = 0
    axis = axis_of(axis, tensor.dim(), "take")
    flat = index.reshape(-1)
    flat = hearth.where(flat < 0, flat + tensor.shape[axis], flat)
    picked = hearth.index_select(tensor, axis, flat)
    return Array(picked.reshape([*tensor.shape[:axis], *index.shape, *tensor.shape[axis + 1 :]]))


def take_along_axis(x, indices, /, *, axis=-1):
    """The elements of x at the indices along an axis; all other axes of both broadcast."""
    tensor, index = tensor_of(x, "take_along_axis"), one(indices, "take_along_axis", "integral").long()
    if tensor.dim() != index.dim():
        raise ValueError(f"take_along_axis: as many axes are needed: {tensor.dim()} and {index.dim()}")
    axis = axis_of(axis, tensor.dim(), "take_along_axis")
    index = hearth.where(index < 0, index + tensor.shape[axis], index)
    return Array(hearth.take_along_dim(tensor, index, axis))


def _groups(x, op):
    """(values, places of each one's first element, the value's number for each element, how often each occurs)."""
    tensor = tensor_of(x, op)
    flat = tensor.reshape(-1)
    count = flat.shape[0]
    if flat.dtype.is_complex:
        # By imaginary parts first and then, keeping that order, by real ones.
        first = _order(hearth.imag(flat), 0, False)[1]
        order = first[_order(hearth.real(flat)[first], 0, False)[1]]
    else:
        order = _order(flat, 0, False)[1]
    ordered = flat[order]
    new = hearth.ones((count,), dtype=hearth.bool)
    if count > 1:
        new[1:] = ordered[1:] != ordered[:-1]
    starts = hearth.nonzero(new)[:, 0]
    inverse = hearth.empty((count,), dtype=hearth.int64)
    inverse[order] = hearth.cumsum(new.long(), 0) - 1
    ends = hearth.cat([starts[1:], hearth.full((1,), count, dtype=hearth.int64)], 0) if count else starts
    return AllResult(
        Array(ordered[starts]), Array(order[starts]), Array(inverse.reshape(tensor.shape)), Array(ends - starts)
    )


def unique_all(x, /):
    """The distinct values (each NaN for itself), where each is first, their numbers in x's shape, how often each is."""
    return _groups(x, "unique_all")


def unique_counts(x, /):
    """The distinct values and how often each occurs."""
    groups = _groups(x, "unique_counts")
    return CountsResult(groups.values, groups.counts)


def unique_inverse(x, /):
    """The distinct values, and for each element of x the number of its value."""
    groups = _groups(x, "unique_inverse")
    return InverseResult(groups.values, groups.inverse_indices)


def unique_values(x, /):
    """The distinct values, each NaN for itself."""
    return _groups(x, "unique_values").values


def isin(x1, x2, /, *, invert=False):
    """Whether each element of x1 is among those of x2 (turned round by invert); one of the two may be a number."""
    a, b = two(x1, x2, "isin", "any")
    values = b.reshape(-1)
    if values.shape[0] == 0:
        found = hearth.zeros(a.shape, dtype=hearth.bool)
    elif a.dtype.is_complex or a.dtype == hearth.bool:
        found = hearth.any(a.unsqueeze(-1) == values, -1)
    else:
        ordered = _order(values, 0, False)[0]
        place = hearth.clamp(_positions(ordered, a, False), max=values.shape[0] - 1)
        found = ordered[place] == a
    return Array(~found if invert else found)
