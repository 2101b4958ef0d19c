"""Joining along NumPy's dimensions, turning, grids and combinations."""
from .. import _C
from .._function import _package, alias, function


def _listed(name, tensors):
    if isinstance(tensors, _C.Tensor):
        raise TypeError(f"{name}(): argument 'tensors' must be a tuple of Tensors, not Tensor")
    if len(tensors) == 0:
        raise RuntimeError(f"{name}: the list of tensors is empty")
    return tensors


@function()
def hstack(tensors, *, out=None):
    """Joined along the second dimension (the first of 1-dim tensors)."""
    parts = [_package.atleast_1d(t) for t in _listed("hstack", tensors)]
    return _C.cat(parts, 0 if parts[0].dim() == 1 else 1)


@function()
def vstack(tensors, *, out=None):
    """Joined along the first dimension, 1-dim tensors as rows."""
    return _C.cat([_package.atleast_2d(t) for t in _listed("vstack", tensors)], 0)


@function()
def dstack(tensors, *, out=None):
    """Joined along the third dimension."""
    return _C.cat([_package.atleast_3d(t) for t in _listed("dstack", tensors)], 2)


@function()
def column_stack(tensors, *, out=None):
    """Joined along the second dimension, 1-dim tensors as columns."""
    return _C.cat([t.reshape(t.numel(), 1) if t.dim() <= 1 else t for t in _listed("column_stack", tensors)], 1)


alias("row_stack", "vstack", method=False)


@function()
def _chunk_cat(tensors, dim, num_chunks, *, out=None):
    """Each tensor cut into num_chunks along dim (padded with zeros), the chunks flattened and joined."""
    _listed("_chunk_cat", tensors)
    first = tensors[0]
    if num_chunks < 1:
        raise RuntimeError(f"_chunk_cat: num_chunks must be positive: {num_chunks}")
    rank = first.dim()
    if any(t.numel() == 0 for t in tensors):
        raise RuntimeError("_chunk_cat: tensors must not be empty")
    if not -rank <= dim < rank or any(dim >= t.dim() for t in tensors):
        raise RuntimeError(f"_chunk_cat: dimension {dim} is not there in every tensor")
    dim %= rank
    if any(t.shape[:dim] != first.shape[:dim] or t.dtype != first.dtype for t in tensors):
        raise RuntimeError("_chunk_cat: tensors must share their dtype and the sizes before dim")
    lead, parts = list(first.shape[:dim]), []
    for t in tensors:
        rows = -(-t.shape[dim] // num_chunks)
        short = rows * num_chunks - t.shape[dim]
        if short:
            t = _C.cat([t, t.new_zeros([*lead, short, *t.shape[dim + 1:]])], dim)
        parts.append(t.reshape([*lead, num_chunks, -1]))
    return _C.cat(parts, dim + 1)


@function("method")
def fliplr(input):
    """The second dimension reversed."""
    if input.dim() < 2:
        raise RuntimeError(f"fliplr: needs at least two dimensions: {tuple(input.shape)}")
    return _C.flip(input, (1,))


@function("method")
def flipud(input):
    """The first dimension reversed."""
    if input.dim() < 1:
        raise RuntimeError("flipud: needs a dimension")
    return _C.flip(input, (0,))


@function("method")
def rot90(input, k=1, dims=(0, 1)):
    """Turned by k quarter turns in the plane of two dimensions, from the first towards the second."""
    rank = input.dim()
    if len(dims) != 2 or rank < 2 or dims[0] == dims[1] or abs(dims[0] - dims[1]) == rank:
        raise RuntimeError(f"rot90: needs two different dimensions: {tuple(dims)} of {rank}")
    for d in dims:
        if not -rank <= d < rank:
            raise RuntimeError(f"rot90: dimension out of range: {d} of {rank}")
    k %= 4
    if k == 1:
        return _C.flip(input, (dims[1],)).transpose(dims[0], dims[1]).clone(memory_format=_package.contiguous_format)
    if k == 2:
        return _C.flip(input, tuple(dims))
    if k == 3:
        return _C.flip(input, (dims[0],)).transpose(dims[0], dims[1]).clone(memory_format=_package.contiguous_format)
    return input.clone()


def meshgrid(*tensors, indexing=None):
    """Views of 0- or 1-dim tensors over their common grid; indexing "ij" (the default) or "xy"."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    return _C._meshgrid(list(tensors), indexing or "ij")


def cartesian_prod(*tensors):
    """Every combination of one element from each 1-dim tensor, a row each."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    for t in tensors:
        if t.dim() != 1:
            raise RuntimeError(f"cartesian_prod: needs 1-dim tensors: {tuple(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return _C.stack([g.reshape(-1) for g in meshgrid(*tensors)], 1)


_package.meshgrid, _package.cartesian_prod = meshgrid, cartesian_prod


@function()
def combinations(input, r=2, with_replacement=False):
    """Every choice of r elements of a 1-dim tensor in the order of itertools, a row each."""
    from itertools import combinations as without, combinations_with_replacement as with_

    if input.dim() != 1:
        raise RuntimeError(f"combinations: needs a 1-dim tensor: {tuple(input.shape)}")
    if r < 0:
        raise RuntimeError(f"combinations: r must not be negative: {r}")
    if r == 0:
        return input.new_empty(0)
    rows = list((with_ if with_replacement else without)(range(input.shape[0]), r))
    return input[_C.tensor(rows, dtype=_C.int64).reshape(-1, r)]
