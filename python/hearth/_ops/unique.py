"""Distinct elements and slices."""
from .. import _C
from .._function import _package, function


def _results(values, inverse, counts, return_inverse, return_counts):
    made = (values,) + ((inverse,) if return_inverse else ()) + ((counts,) if return_counts else ())
    return made if len(made) > 1 else values


def _runs(rows):
    """Where runs of equal rows begin, the number of the run of each row, and the runs' lengths. rows: [n, ...]."""
    count = rows.shape[0]
    fresh = _C.ones(count, dtype=_C.bool)
    if count > 1:
        differs = rows[1:] != rows[:-1]
        fresh[1:] = differs if rows.dim() == 1 else differs.reshape(count - 1, -1).any(1)
    first = fresh.nonzero().reshape(-1)
    return first, fresh.to(_C.int64).cumsum(0) - 1, _C.cat([first[1:], first.new_full((1,), count)]) - first


def _no_elements(x):
    return x.new_empty(0), _C.empty(x.shape, dtype=_C.int64), _C.empty(0, dtype=_C.int64)


def _slices(name, x, dim):
    """x's slices along dim as rows [n, elements]. Raises for slices without elements."""
    if not -x.dim() <= dim < x.dim():
        raise IndexError(f"{name}: dimension out of range: {dim} of {x.dim()}")
    if x.numel() == 0 and (x.shape[dim] != 0 or sum(s == 0 for s in x.shape) != 1):
        raise RuntimeError(f"{name}: sizes of 0 beside dimension {dim} are not supported: {tuple(x.shape)}")
    return x.movedim(dim, 0).reshape(x.shape[dim], -1) if x.numel() else x.new_empty(0, 1)


@function("method")
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """Distinct elements, or slices along dim, in ascending order; also where each went and how often it occurs."""
    with _package.no_grad():
        x = input.detach()
        if dim is None or x.dim() == 0:
            values, inverse, counts = _C._unique(x) if x.numel() else _no_elements(x)
            return _results(values, inverse, counts, return_inverse, return_counts)
        rows = _slices("unique", x, dim)
        if not rows.shape[0]:
            empty = _C.empty(0, dtype=_C.int64)
            return _results(x.clone(), empty, empty.clone(), return_inverse, return_counts)
        order = _C._sort_rows(rows)
        first, run, counts = _runs(rows[order])
        inverse = _C.empty_like(run)
        inverse[order] = run
        return _results(x.index_select(dim, order[first]), inverse, counts, return_inverse, return_counts)


@function("method")
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The first element, or slice along dim, of every run of equal ones; also its run's number and length."""
    with _package.no_grad():
        x = input.detach()
        if dim is None or x.dim() == 0:
            if not x.numel():
                return _results(*_no_elements(x), return_inverse, return_counts)
            flat = x.reshape(-1)
            first, run, counts = _runs(flat)
            return _results(flat[first], run.reshape(x.shape), counts, return_inverse, return_counts)
        rows = _slices("unique_consecutive", x, dim)
        if not rows.shape[0]:
            empty = _C.empty(0, dtype=_C.int64)
            return _results(x.clone(), empty, empty.clone(), return_inverse, return_counts)
        first, run, counts = _runs(rows)
        return _results(x.index_select(dim, first), run, counts, return_inverse, return_counts)


_package._unique = lambda x, sorted=True, return_inverse=False: _package.unique(x, sorted, return_inverse)
_package._unique2 = unique
