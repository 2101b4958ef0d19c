"""nn.functional: losses by distances and margins."""
import hearth

from .. import _C
from .._function import function
from ._functional_loss import reduced, reduction_name

_op = function("hidden", module=globals())


@_op
def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of x1 - x2 + eps over the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)


@_op
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`, broadcast."""
    dtype = hearth.promote_types(x1.dtype, x2.dtype)
    if not dtype.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {dtype}")
    x1, x2 = hearth.broadcast_tensors(x1.to(dtype), x2.to(dtype))
    lengths = []
    for x in (x1, x2):
        length = x.norm(2, dim, keepdim=True)
        # Short vectors count as eps long, without a gradient by their length.
        with hearth.no_grad():
            short = length < eps
        lengths.append(length.masked_fill(short, eps) if bool(short.any()) else length)
    return ((x1 / lengths[0]) * (x2 / lengths[1])).sum(dim)


@_op
def pdist(input, p=2):
    """The p-norm distances between all pairs of rows, as a vector."""
    if input.dim() != 2:
        raise RuntimeError("pdist only supports 2D tensors, got: " + str(input.dim()) + "D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    count = input.shape[0]
    rows, columns = hearth.triu_indices(count, count, 1)
    return (input[rows] - input[columns]).norm(p, 1)


@_op
def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where target is 1, max(0, margin - input) where it is -1."""
    reduction = reduction_name(size_average, reduce, reduction)
    zeros = hearth.zeros_like(input)
    apart = hearth.where(target != 1, (margin - input).clamp_min(0), zeros)
    same = hearth.where(target != -1, input, zeros)
    return reduced(apart + same, reduction)


@_op
def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1."""
    reduction = reduction_name(size_average, reduce, reduction)
    if target.dim() not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and (input1.dim() != 2 or input2.dim() != 2):
        raise RuntimeError("1D target tensor expects 2D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")
    if target.dim() == 0 and (input1.dim() != 1 or input2.dim() != 1):
        raise RuntimeError("0D target tensor expects 1D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")
    wide = hearth.promote_types(input1.dtype, input2.dtype)
    small = 1e-12
    if not wide.is_floating_point:
        input1, input2 = input1.float(), input2.float()
    dot = (input1 * input2).sum(-1)
    lengths = ((input1 * input1).sum(-1) + small) * ((input2 * input2).sum(-1) + small)
    cosine = dot / lengths.sqrt()
    zeros = hearth.zeros_like(cosine)
    loss = hearth.where(target == 1, 1 - cosine, zeros) + hearth.where(target == -1, (cosine - margin).clamp_min(0), zeros)
    return reduced(loss, reduction)


@_op
def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, margin - target (input1 - input2))."""
    reduction = reduction_name(size_average, reduce, reduction)
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError("margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
                           f"{input1.shape}, input2: {input2.shape}, target: {target.shape} ")
    return reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def _check_triplet(margin, anchor, positive, negative):
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(f"The anchor, positive, and negative tensors are expected to have the same number of dimensions, "
                           f"but got: anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D "
                           "inputs")


def _triplet(distance, anchor, positive, negative, margin, swap, reduction):
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = hearth.minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp_min(0), reduction)


@_op
def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None,
                        reduce=None, reduction="mean"):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin); with swap the smaller distance to the negative."""
    reduction = reduction_name(size_average, reduce, reduction)
    _check_triplet(margin, anchor, positive, negative)
    return _triplet(lambda a, b: pairwise_distance(a, b, p, eps), anchor, positive, negative, margin, swap, reduction)


@_op
def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False,
                                      reduction="mean"):
    """triplet_margin_loss by any distance."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    _check_triplet(margin, anchor, positive, negative)
    return _triplet(distance_function or pairwise_distance, anchor, positive, negative, margin, swap, reduction)


def _check_rows(name, input, target):
    valid = (input.dim() == 2 and input.shape[1] != 0) or (input.dim() == 1 and input.shape[0] != 0) or input.dim() == 0
    if not valid:
        raise RuntimeError(f"{name}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
                           f"{list(input.shape)}")


@_op
def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The sum over other classes of max(0, margin - input[target] + input[class])^p / classes."""
    reduction = reduction_name(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    _check_rows("multi_margin_loss", input, target)
    rows = input.reshape(-1, input.shape[-1]) if input.dim() == 2 else input.reshape(1, -1)
    count, classes = rows.shape
    if target.dim() > 1 or target.numel() != count:
        raise RuntimeError(f"inconsistent target size, expected {count} but got {list(target.shape)}")
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    ids = target.reshape(-1, 1)
    if ids.numel() and (int(ids.min()) < 0 or int(ids.max()) >= classes):
        raise RuntimeError("target out of range")
    parts = (margin - rows.gather(1, ids) + rows).clamp_min(0)
    parts = parts if p == 1 else parts * parts
    if weight is not None:
        parts = parts * weight[ids.reshape(-1)].unsqueeze(1)
    loss = parts.scatter(1, ids, 0.0).sum(1) / classes
    # A single sample has a loss without dimensions; a batch keeps one each.
    return reduced(loss.reshape(target.shape) if input.dim() < 2 and target.dim() == 0 else loss, reduction)


@_op
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The sum over wanted and other classes of max(0, 1 - (input[wanted] - input[other])) / classes. A row of `target`
    lists the wanted classes up to the first -1."""
    reduction = reduction_name(size_average, reduce, reduction)
    return multilabel_margin_parts(input, target, reduction)[0]


def multilabel_margin_parts(input, target, reduction):
    """(loss, 1 at each wanted class)."""
    _check_rows("multilabel_margin_loss", input, target)
    if input.dim() < 2 and target.numel() != input.numel() or input.dim() == 2 and target.shape != input.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    rows, ids = (x.reshape(-1, max(1, input.shape[-1] if input.dim() else 1)) for x in (input, target))
    classes = rows.shape[1]
    if ids.numel() and (int(ids.min()) < -1 or int(ids.max()) >= classes):
        raise RuntimeError("target out of range")
    listed = (ids < 0).cumsum(1) == 0
    safe = hearth.where(listed, ids, hearth.zeros_like(ids))
    wanted = hearth.zeros(rows.shape, dtype=rows.dtype).scatter_add(1, safe, listed.to(rows.dtype)) > 0
    gaps = (1 - (rows.gather(1, safe).unsqueeze(2) - rows.unsqueeze(1))).clamp_min(0)
    gaps = gaps * (listed.unsqueeze(2) & ~wanted.unsqueeze(1)).to(rows.dtype)
    loss = gaps.sum([1, 2]) / classes
    if input.dim() < 2:
        loss = loss.reshape([])
    return reduced(loss, reduction), wanted.to(rows.dtype).reshape(target.shape)


@_op
def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The mean over classes of binary cross-entropy with logits."""
    if size_average is not None or reduce is not None:
        reduction = reduction_name(size_average, reduce, reduction)
    log = _C._nn_logsigmoid
    loss = -(target * log(input) + (1 - target) * log(-input))
    if weight is not None:
        loss = loss * weight
    loss = loss.sum(-1) / input.shape[-1]
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return reduced(loss, reduction)


@_op
def linear_cross_entropy(input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean",
                         ignore_index=None, label_smoothing=0.0, options=None):
    """cross_entropy of linear(input, linear_weight, linear_bias), the weight [classes, ..., features]."""
    from ._functional_linear_loss import projected_cross_entropy

    return projected_cross_entropy(input, linear_weight, target, linear_bias, weight, reduction, ignore_index,
                                   label_smoothing, options)
