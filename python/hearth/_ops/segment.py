"""Reductions of segments of a dimension, and the hash of a tensor's bits."""
from math import inf, nan

from .. import _C
from .._function import alias, function

_IDENTITY = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -inf, "min": inf}


def _segments(data, lengths, offsets, axis, unsafe):
    """Lengths and begins of the segments, both [batches, segments]."""
    given = lengths if lengths is not None else offsets
    if given is None:
        raise RuntimeError("segment_reduce: lengths or offsets must be given")
    if given.dtype not in (_C.int64, _C.int32):
        raise RuntimeError(f"segment_reduce: lengths and offsets must be int32 or int64: {given.dtype}")
    if axis != given.dim() - 1 or given.shape[:-1] != data.shape[:axis]:
        raise RuntimeError(f"segment_reduce: axis must be the last dimension of lengths or offsets, whose leading "
                           f"sizes are data's: axis {axis}, {tuple(given.shape)}, data {tuple(data.shape)}")
    given, size = given.to(_C.int64).reshape(-1, given.shape[-1]), data.shape[axis]
    if lengths is None:
        return given[:, 1:] - given[:, :-1], given[:, :-1]
    if not unsafe and given.numel():
        if int(given.min()) < 0 or not bool((given.sum(-1) == size).all()):
            raise RuntimeError(f"segment_reduce: lengths must not be negative and add up to {size}")
    return given, given.cumsum(-1) - given


@function("method", name="segment_reduce")
def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """sum, mean, prod, max or min of consecutive segments of dimension `axis`, given by lengths or offsets."""
    if reduce not in _IDENTITY:
        raise RuntimeError(f"segment_reduce: reduce must be one of {', '.join(_IDENTITY)}: {reduce}")
    if indices is not None:
        raise RuntimeError("segment_reduce: indices are not supported; give lengths or offsets")
    if axis < 0:
        axis += data.dim()
    counts, begins = _segments(data, lengths, offsets, axis, unsafe)
    batches, segments = counts.shape
    size, tail = data.shape[axis], data.shape[axis + 1:]
    rows = data.reshape(batches * size, -1) if data.numel() else data.reshape(batches * size, tail.numel())
    flat = counts.reshape(-1)
    owner = _C.repeat_interleave(_C.arange(batches * segments), flat)
    start = begins + (_C.arange(batches) * size).unsqueeze(1)
    place = _C.arange(owner.shape[0]) - (flat.cumsum(0) - flat)[owner] + start.reshape(-1)[owner]
    start_value = _IDENTITY[reduce] if initial is None else initial
    made = rows.new_full((batches * segments, rows.shape[1]), start_value)
    merged = {"sum": "sum", "mean": "sum", "prod": "prod", "max": "amax", "min": "amin"}[reduce]
    made = made.scatter_reduce(0, owner.unsqueeze(1).expand(-1, rows.shape[1]), rows.index_select(0, place), merged)
    if reduce == "mean":
        made = made / flat.clamp_min(1).unsqueeze(1).to(made.dtype)
        if initial is None:
            made = made.masked_fill((flat == 0).unsqueeze(1), nan)
    return made.reshape(*data.shape[:axis], segments, *tail)


alias("_segment_reduce", "segment_reduce", method=False)


def _bits(x):
    """The bits that are hashed, as int64: floats as doubles, integers and bools widened."""
    if x.is_complex():
        raise NotImplementedError("hash_tensor: complex tensors are not supported")
    if x.is_floating_point():
        return x.to(_C.float64).view(_C.int64)
    return x.view(_C.int64) if x.dtype == _C.uint64 else x.to(_C.int64)


@function("method")
def hash_tensor(input, dim=(), *, keepdim=False, mode=0, out=None):
    """The exclusive or of all elements' bits over dim, as uint64."""
    if mode != 0:
        raise RuntimeError(f"hash_tensor: mode must be 0: {mode}")
    bits = _bits(input.detach())
    dims = [dim] if isinstance(dim, int) else list(dim)
    if not dims and input.numel() == 0:
        raise RuntimeError("hash_tensor: dim must be given for a tensor without elements")
    rank = bits.dim()
    dims = sorted({d % rank for d in dims} if dims else range(rank)) if rank else []
    kept = [s for d, s in enumerate(bits.shape) if d not in dims]
    shape = [1 if d in dims else s for d, s in enumerate(bits.shape)] if keepdim else kept
    rows = bits.movedim(dims, list(range(len(dims)))).reshape(-1, *kept) if dims else bits.reshape(1)
    while rows.shape[0] > 1:
        half = rows.shape[0] // 2
        folded = rows[:half] ^ rows[half:2 * half]
        rows = _C.cat([folded, rows[2 * half:]]) if rows.shape[0] % 2 else folded
    folded = rows[0] if rows.shape[0] else _C.zeros(kept, dtype=_C.int64)
    return folded.reshape(shape).clone().view(_C.uint64)
