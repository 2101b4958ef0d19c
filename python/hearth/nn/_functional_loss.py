"""nn.functional: losses of numbers, probabilities and classes."""
import math
import warnings

import hearth

from .. import _C
from .._function import function

_op = function("hidden", module=globals())


def reduction_name(size_average, reduce, reduction):
    """The reduction's name, where the two old flags win over `reduction`; ValueError for another one."""
    if size_average is not None or reduce is not None:
        from ._reduction import legacy_get_string

        return legacy_get_string(size_average, reduce)
    if reduction == "elementwise_mean":
        from ._reduction import get_enum

        get_enum(reduction)
        return "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced(loss, reduction):
    """`loss` itself, its mean or its sum."""
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def _pair(input, target):
    """Both in one shape; says so when it had to change them."""
    if target.shape == input.shape:
        return input, target
    warnings.warn(f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
                  "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
                  stacklevel=3)
    return hearth.broadcast_tensors(input, target)


def _weighted(loss, weight, input, reduction, over_weights):
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    loss = loss * weight
    return loss.sum() / weight.sum() if over_weights and reduction == "mean" else reduced(loss, reduction)


def _check_classes(name, input, target):
    if input.dim() == 0:
        raise ValueError(f"Expected 1 or more dimensions (got {input.dim()})")
    if input.dim() != 1 and input.shape[0] != target.shape[0] if target.dim() else False:
        raise ValueError(f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({target.shape[0]}).")


@_op
def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
                  label_smoothing=0.0):
    """-log softmax(input)[target] over dimension 1; target holds class numbers or probabilities."""
    reduction = reduction_name(size_average, reduce, reduction)
    if target.shape != input.shape and not target.is_floating_point():
        _check_classes("cross_entropy", input, target)
    if target.shape == input.shape and not target.is_floating_point():
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {target.dtype}")
    if target.is_floating_point() and target.shape != input.shape:
        raise RuntimeError(f"expected class numbers (int64) for a target of shape {list(target.shape)}, got {target.dtype}")
    return _C._nn_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


@_op
def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """-input[target] over dimension 1."""
    reduction = reduction_name(size_average, reduce, reduction)
    _check_classes("nll_loss", input, target)
    return _C._nn_nll_loss(input, target, weight, ignore_index, reduction)


@_op
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)^2."""
    reduction = reduction_name(size_average, reduce, reduction)
    input_, target = _pair(input, target)
    loss = (input_ - target).square()
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, input, reduction, True)


@_op
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|."""
    reduction = reduction_name(size_average, reduce, reduction)
    input_, target = _pair(input, target)
    loss = (input_ - target).abs()
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, input, reduction, True)


@_op
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """d^2 / (2 beta) where d = |input - target| is below beta, d - beta / 2 elsewhere."""
    reduction = reduction_name(size_average, reduce, reduction)
    input, target = _pair(input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    d = (input - target).abs()
    if beta == 0:
        return reduced(d, reduction)
    return reduced(hearth.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta), reduction)


@_op
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """d^2 / 2 where d = |input - target| is at most delta, delta (d - delta / 2) elsewhere."""
    reduction = reduction_name(None, None, reduction)
    input_, target = _pair(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    dtype = hearth.promote_types(input_.dtype, target.dtype)
    if dtype in (_C.float16, _C.bfloat16):
        # The difference is rounded once, with the loss.
        input_, target = input_.float(), target.float()
    d = (input_ - target).abs()
    loss = hearth.where(d <= delta, 0.5 * d * d, (d - 0.5 * delta) * delta).to(dtype)
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, input, reduction, False)


@_op
def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(target log(input) + (1 - target) log(1 - input)); logarithms end at -100."""
    reduction = reduction_name(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is "
                         "deprecated. Please ensure they have the same size.")
    if weight is not None:
        weight = weight.expand(hearth.broadcast_shapes(weight.shape, target.shape))
    return _C._nn_binary_cross_entropy(input, target, weight, reduction)


@_op
def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean",
                                     pos_weight=None):
    """binary_cross_entropy of sigmoid(input), exact for large |input|."""
    reduction = reduction_name(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    log = _C._nn_logsigmoid(input)
    if pos_weight is not None:
        log = log * ((pos_weight - 1) * target + 1)
    loss = (1 - target) * input - log
    return reduced(loss if weight is None else loss * weight, reduction)


@_op
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target (log(target) - input), input being log-probabilities (target too with log_target)."""
    if size_average is not None or reduce is not None:
        reduction = reduction_name(size_average, reduce, reduction)
    elif reduction == "mean":
        warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the support size."
                      "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                      "'mean' will be changed to behave the same as 'batchmean' in the next major release.", stacklevel=2)
    loss = target.exp() * (target - input) if log_target else hearth.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return loss.sum() / input.shape[0] if input.dim() else loss.sum()
    return reduced(loss, reduction_name(None, None, reduction))


@_op
def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None,
                     reduction="mean"):
    """exp(input) - target input (input - target log(input + eps) without log_input)."""
    reduction = reduction_name(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


def _fitting_variance(input, var):
    if not isinstance(var, hearth.Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        return var * hearth.ones_like(input)
    if bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape == input.shape:
        return var
    if input.shape[:-1] == var.shape:
        return var.unsqueeze(-1)
    if input.dim() == var.dim() and sum(own for size, own in zip(input.shape, var.shape) if size != own) == 1:
        return var
    raise ValueError("var is of incorrect size")


@_op
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log v + (input - target)^2 / v) / 2 with v = max(var, eps)."""
    var = _fitting_variance(input, var)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    # The bound is not differentiated: values below it get the gradient as if they stood on it.
    var = var.clone()
    with hearth.no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


@_op
def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target input))."""
    reduction = reduction_name(size_average, reduce, reduction)
    return reduced(_soft_margin(input, target), reduction)


def _soft_margin(input, target):
    hearth.broadcast_shapes(input.shape, target.shape)
    return (-target * input).exp().log1p()
