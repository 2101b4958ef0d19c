"""nn.functional: rows of tables by number, alone and summed up in bags."""
import warnings

import hearth

from .. import _C
from .._function import function

_op = function("hidden", module=globals())

one_hot = _C._nn_one_hot


def _renormalized(weight, ids, max_norm, norm_type):
    """Scales the rows that are used down to max_norm, in place."""
    with hearth.no_grad():
        used = ids.reshape(-1).unique().long()
        rows = weight.detach()[used]
        norms = rows.norm(norm_type, 1, keepdim=True)
        weight[used] = hearth.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)


class _RowsByFrequency(hearth.autograd.Function):
    """A table whose gradient is divided, row by row, by how often the row is used."""

    @staticmethod
    def forward(ctx, weight, ids):
        ctx.save_for_backward(hearth.bincount(ids.reshape(-1), minlength=weight.shape[0]).clamp_min(1))
        return weight.view_as(weight)

    @staticmethod
    def backward(ctx, grad):
        (counts,) = ctx.saved_tensors
        return grad / counts.unsqueeze(1).to(grad.dtype), None


def _check_sparse(name, sparse, weight):
    if sparse and weight.requires_grad and hearth.is_grad_enabled():
        raise NotImplementedError(f"{name}: sparse gradients are not in hearth")


def _padding(padding_idx, rows):
    if padding_idx is None:
        return -1
    if padding_idx > 0 and padding_idx >= rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    if padding_idx < 0:
        if padding_idx < -rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx += rows
    return padding_idx


@_op
def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """Rows `input` of `weight`; row padding_idx gets no gradient."""
    if weight.dim() != 2:
        raise RuntimeError("'weight' must be 2-D")
    padding = _padding(padding_idx, weight.shape[0])
    _check_sparse("embedding", sparse, weight)
    if max_norm is not None:
        _renormalized(weight, input, max_norm, norm_type)
    if scale_grad_by_freq and weight.requires_grad:
        weight = _RowsByFrequency.apply(weight, input)
    return _C.embedding(weight, input, padding)


def _bags(input, offsets, include_last_offset):
    """(flat ids, the bag of each, number of bags)."""
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError("if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed "
                             f"length sequences. However, found offsets of type {type(offsets)}")
        count, length = input.shape
        return input.reshape(-1), hearth.arange(count).repeat_interleave(length), count
    if input.dim() != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = offsets.tolist()
    if starts and starts[0] != 0:
        raise ValueError(f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
                         f"However, got {starts[0]}")
    if starts and starts[-1] > input.shape[0]:
        raise ValueError(f"offsets[-1] can not be greater than input's length({input.shape[0]}). However, got offsets[-1] "
                         f"of {starts[-1]}")
    ends = starts[1:] + ([] if include_last_offset else [input.shape[0]])
    count = len(ends)
    lengths = [end - start for start, end in zip(starts, ends)]
    if any(length < 0 for length in lengths):
        raise RuntimeError("embedding_bag: offsets must not fall")
    bags = hearth.arange(count).repeat_interleave(hearth.tensor(lengths, dtype=_C.int64))
    return input[:sum(lengths)], bags, count


def _largest(rows, bags, count, kept):
    """The largest of each column in each bag; bags without rows give zeros."""
    width = rows.shape[1]
    most = hearth.full([count, width], -float("inf"), dtype=rows.dtype)
    where = bags[kept]
    chosen = rows[kept]
    index = where.unsqueeze(1).expand(where.shape[0], width)
    most = most.scatter_reduce(0, index, chosen.detach(), "amax", include_self=True)
    # The first row of a bag that holds the maximum gets the gradient.
    order = hearth.arange(chosen.shape[0]).unsqueeze(1).expand(chosen.shape)
    last = chosen.shape[0]
    rank = hearth.where(chosen.detach() == most[where], order, hearth.full_like(order, last))
    first = hearth.full([count, width], last, dtype=_C.int64).scatter_reduce(0, index, rank, "amin", include_self=True)
    padded = hearth.cat([chosen, hearth.zeros([1, width], dtype=rows.dtype)])
    return padded.gather(0, first)


def bag_of(weight, input, offsets, mode, per_sample_weights, include_last_offset, padding_idx):
    """The sum, mean or max of each bag's rows."""
    ids, bags, count = _bags(input, offsets, include_last_offset)
    rows = _C.embedding(weight, ids, -1)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1)[:ids.shape[0]].unsqueeze(1)
    kept = ids != padding_idx if padding_idx >= 0 else hearth.ones_like(ids, dtype=_C.bool)
    if mode == "max":
        return _largest(rows, bags, count, kept)
    rows, bags = (rows, bags) if padding_idx < 0 else (rows[kept], bags[kept])
    dtype = rows.dtype
    wide = rows.float() if dtype in (_C.float16, _C.bfloat16) else rows
    sums = hearth.zeros([count, rows.shape[1]], dtype=wide.dtype).index_add(0, bags, wide)
    if mode == "mean":
        lengths = hearth.zeros([count], dtype=wide.dtype).index_add(0, bags, hearth.ones([bags.shape[0]], dtype=wide.dtype))
        sums = sums / lengths.clamp_min(1).unsqueeze(1)
    return sums.to(dtype)


@_op
def embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean",
                  sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None):
    """Sums, means or maxima of bags of rows of `weight`."""
    if weight.dtype == _C.int64 and input.is_floating_point():
        warnings.warn("Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` "
                      "is deprecated, and should now be `embedding_bag(input, weight, ...)`.", stacklevel=2)
        weight, input = input, weight
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have "
                         f"the same shape as the input ({input.shape})")
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and (scale_grad_by_freq or sparse):
        raise ValueError("max mode does not support scaling the gradient by the frequency or sparse weights")
    _check_sparse("embedding_bag", sparse, weight)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError("embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
                                  f"mode='sum' (got mode='{mode}'). Please open a feature request on GitHub.")
    padding = -1 if padding_idx is None else padding_idx
    if padding_idx is not None and not -weight.shape[0] <= padding_idx < weight.shape[0]:
        raise AssertionError(f"padding_idx must be within the number of embeddings: {padding_idx}")
    if padding < -1 or (padding_idx is not None and padding < 0):
        padding += weight.shape[0]
    if max_norm is not None:
        _renormalized(weight, input, max_norm, norm_type)
    if scale_grad_by_freq and weight.requires_grad:
        weight = _RowsByFrequency.apply(weight, input)
    return bag_of(weight, input, offsets, mode, per_sample_weights, include_last_offset, padding)
