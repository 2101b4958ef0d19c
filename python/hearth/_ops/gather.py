"""Reading and writing through index tensors: put, index_put, index_reduce, unravel_index and their kin."""
from .. import _C
from .._C import Tensor
from .._function import _package, function


def _check_put(name, input, index, source):
    if index.dtype != _C.int64:
        raise RuntimeError(f"{name}: index must be int64: {index.dtype}")
    if source.dtype != input.dtype:
        raise RuntimeError(f"{name}: dtypes differ: tensor {input.dtype}, source {source.dtype}")
    if index.numel() != source.numel():
        raise RuntimeError(f"{name}: as many indices as values are needed: {index.numel()}, {source.numel()}")


@function("method", "inplace")
def put(input, index, source, accumulate=False):
    """A copy of input with source at positions `index` of the flattened tensor."""
    _check_put("put", input, index, source)
    if index.numel() and input.numel() == 0:
        raise IndexError("put: an empty tensor has no places to put into")
    flat = input.reshape(-1)
    return index_put(flat, (index.reshape(-1),), source.reshape(-1), accumulate).reshape(input.shape)


@function("method", "inplace")
def index_put(input, indices, values, accumulate=False):
    """A copy of input with input[indices] = values (or +=); an index of None takes the whole dimension."""
    if values.dtype != input.dtype:
        raise RuntimeError(f"index_put: dtypes differ: tensor {input.dtype}, values {values.dtype}")
    return _C._index_put(input, tuple(slice(None) if i is None else i for i in indices), values, accumulate)


_package._index_put_impl_ = lambda x, indices, values, accumulate=False, unsafe=False: x.index_put_(
    indices, values, accumulate)


@function("method", "inplace")
def index_reduce(input, dim, index, source, reduce, *, include_self=True, out=None):
    """A copy of input with source merged into the entries `index` of a dimension: prod, mean, amax or amin."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce: reduce must be prod, mean, amax or amin: {reduce}")
    if index.dtype not in (_C.int64, _C.int32):
        raise RuntimeError(f"index_reduce: index must be int32 or int64: {index.dtype}")
    if index.dim() > 1:
        raise RuntimeError(f"index_reduce: index must have at most one dimension: {tuple(index.shape)}")
    if source.dtype != input.dtype:
        raise RuntimeError(f"index_reduce: dtypes differ: tensor {input.dtype}, source {source.dtype}")
    if input.dim() == 0:
        return _C.scatter_reduce(input.reshape(1), 0, index.reshape(-1).to(_C.int64), source.reshape(-1), reduce,
                                 include_self=include_self).reshape(())
    dim = _dim(dim, input.dim())
    if source.shape[dim] != index.numel():
        raise RuntimeError(f"index_reduce: index has {index.numel()} entries, source {source.shape[dim]}")
    along = [1] * input.dim()
    along[dim] = index.numel()
    cells = index.reshape(along).to(_C.int64).expand(source.shape)
    return _C.scatter_reduce(input, dim, cells, source, reduce, include_self=include_self)


def _dim(dim, rank):
    if not -max(rank, 1) <= dim < max(rank, 1):
        raise IndexError(f"Dimension out of range (expected to be in range of [{-max(rank, 1)}, {max(rank, 1) - 1}], "
                         f"but got {dim})")
    return dim % max(rank, 1)


@function("method")
def nonzero_static(input, *, size, fill_value=-1, out=None):
    """The first `size` coordinates of what is not zero, filled up with fill_value."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: size must not be negative: {size}")
    found = _C.nonzero(input)[:size]
    short = size - found.shape[0]
    return _C.cat([found, found.new_full((short, input.dim()), fill_value)]) if short else found


def _clamped(input, indices):
    made = []
    for d, index in enumerate(indices):
        made.append(slice(None) if index is None else index.clamp(-input.shape[d], input.shape[d] - 1))
    return tuple(made)


@function()
def _unsafe_index(input, indices):
    """input[indices], where None takes a whole dimension."""
    return input[tuple(slice(None) if i is None else i for i in indices)]


@function()
def _unsafe_masked_index(input, mask, indices, fill):
    """input[indices] where mask is true, else fill; indices that mask hides may lie outside."""
    if 0 in input.shape:
        shape = _package.broadcast_shapes(mask.shape, *(i.shape for i in indices if i is not None))
        return input.new_full(shape, fill)
    return input[_clamped(input, indices)].masked_fill(mask.logical_not(), fill)


@function()
def _unsafe_masked_index_put_accumulate(input, mask, indices, values):
    """A copy of input with values added at indices where mask is true."""
    if 0 in input.shape:
        return input.clone()
    return _C._index_put(input, _clamped(input, indices), values.masked_fill(mask.logical_not(), 0), True)


def unravel_index(indices, shape):
    """The coordinates, one tensor a dimension, of positions in a flattened tensor of `shape`."""
    if not isinstance(indices, Tensor) or indices.is_floating_point() or indices.is_complex() or \
            indices.dtype == _C.bool:
        raise TypeError(f"unravel_index: indices must be integers: {getattr(indices, 'dtype', type(indices))}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(isinstance(s, int) for s in sizes):
        raise TypeError(f"unravel_index: shape must be ints: {shape}")
    if any(s < 0 for s in sizes):
        raise ValueError(f"unravel_index: sizes must not be negative: {sizes}")
    coordinates, rest = [], indices.to(_C.int64)
    for size in reversed(sizes):
        coordinates.append(rest % size)
        rest = rest.div(size, rounding_mode="floor")
    return tuple(reversed(coordinates))


_package.unravel_index = unravel_index


def _search(boundaries, values, right, out_int32):
    if not isinstance(values, Tensor):
        values = _C.tensor(values, dtype=boundaries.dtype if boundaries.is_floating_point() == isinstance(values, float)
                           else None)
    found = _C._searchsorted(boundaries, values, right)
    return found.to(_C.int32) if out_int32 else found


@function()
def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None, out=None):
    """Where `input` would be inserted into the ascending last dimension of sorted_sequence."""
    if side is not None:
        if side not in ("left", "right"):
            raise RuntimeError(f"searchsorted: side must be left or right: {side}")
        if right and side == "left":
            raise RuntimeError("searchsorted: side left contradicts right=True")
        right = side == "right"
    if not isinstance(input, Tensor) and sorted_sequence.dim() != 1:
        raise RuntimeError("searchsorted: a number needs a 1-dim sorted_sequence")
    if sorter is not None:
        if sorter.shape != sorted_sequence.shape or sorter.dtype != _C.int64:
            raise RuntimeError("searchsorted: sorter must be int64 of sorted_sequence's shape")
        if sorter.numel() and (int(sorter.min()) < 0 or int(sorter.max()) >= sorted_sequence.shape[-1]):
            raise RuntimeError("searchsorted: sorter holds an index that is out of range")
        sorted_sequence = _C.gather(sorted_sequence, -1, sorter)
    return _search(sorted_sequence, input, right, out_int32)


@function()
def bucketize(input, boundaries, *, out_int32=False, right=False, out=None):
    """The bucket between ascending boundaries that each element falls into."""
    if boundaries.dim() != 1:
        raise RuntimeError(f"bucketize: boundaries must have one dimension: {tuple(boundaries.shape)}")
    return _search(boundaries, input, right, out_int32)
