"""nn.functional: cross-entropy behind a linear layer, whole or in chunks of the batch."""
import math

import hearth

from .. import _C
from ._functional_loss import cross_entropy, reduction_name


def _check(input, linear_weight, target, linear_bias, ignore_index):
    """The shape of the logits; raises RuntimeError as PyTorch does."""
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}")
    if input.shape[-1] != linear_weight.shape[-1]:
        raise RuntimeError("expected equal input and linear_weight last dimensions (in_features), got "
                           f"{input.shape[-1]} and {linear_weight.shape[-1]}, respectively")
    outputs = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise RuntimeError(f"expected linear_bias shape {outputs}, got {tuple(linear_bias.shape)}")
    if len(outputs) > 1 and input.dim() == 1:
        raise RuntimeError(f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched "
                           f"input, (N, {input.shape[-1]}), got unbatched input with shape {tuple(input.shape)}")
    shape = (*input.shape[:-1], *outputs)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    return shape


def projected_cross_entropy(input, linear_weight, target, linear_bias, weight, reduction, ignore_index, label_smoothing,
                            options):
    """See linear_cross_entropy; with `options` the logits of one chunk of the batch are in memory at a time."""
    shape = _check(input, linear_weight, target, linear_bias, ignore_index)
    reduction = reduction_name(None, None, reduction)
    ignore = -100 if ignore_index is None else ignore_index
    matrix = linear_weight.reshape(math.prod(shape[input.dim() - 1:]), input.shape[-1])
    vector = None if linear_bias is None else linear_bias.reshape(-1)

    def losses(rows, wanted, how):
        logits = _C._nn_linear(rows, matrix, vector).reshape(*rows.shape[:-1], *shape[input.dim() - 1:])
        return cross_entropy(logits, wanted, weight, None, ignore, None, how, label_smoothing)

    if options is None or input.dim() == 1 or input.shape[0] < 2:
        return losses(input, target, reduction)
    return _in_chunks(losses, input, target, weight, ignore, reduction, _chunk_size(options, input, linear_weight))


def _chunk_size(options, input, linear_weight):
    size = getattr(options, "batch_chunk_size", None)
    # About sixteen chunks when the options leave it open.
    return max(1, min(input.shape[0], size if size else -(-input.shape[0] // 16)))


def _in_chunks(losses, input, target, weight, ignore, reduction, size):
    from hearth.utils.checkpoint import checkpoint

    how = "none" if reduction == "none" else "sum"
    parts = [checkpoint(losses, rows, wanted, how, use_reentrant=False)
             for rows, wanted in zip(input.split(size), target.split(size))]
    if reduction == "none":
        return hearth.cat(parts)
    total = sum(parts[1:], parts[0])
    if reduction == "sum":
        return total
    if target.is_floating_point():
        return total / (target.numel() / target.shape[1])
    kept = target != ignore
    count = kept.sum() if weight is None else weight[hearth.where(kept, target, 0)][kept].sum()
    return total / count
