"""The functions of nn.functional that PyTorch also has as torch.NAME, with the arguments that they take there."""
import hearth

from .. import _C
from .._function import function
from . import functional as F  # noqa: N812
from ._functional_activation import _rrelu, rrelu_  # noqa: F401
from ._functional_dropout import (_alpha, _alpha_, _feature, _feature_, _feature_alpha, _feature_alpha_, _noise,
                                  _plain, _plain_)
from ._functional_image import affine_grid_generator  # noqa: F401
from ._functional_margin import multilabel_margin_parts
from ._functional_norm import _wide, native_batch_norm, native_group_norm, native_layer_norm

_op = function("hidden", module=globals())
_REDUCTIONS = ("none", "mean", "sum")

dropout, dropout_ = _C.python_function("dropout", _plain, False), _plain_
feature_dropout, feature_dropout_ = _C.python_function("feature_dropout", _feature, False), _feature_
alpha_dropout, alpha_dropout_ = _C.python_function("alpha_dropout", _alpha, False), _alpha_
feature_alpha_dropout = _C.python_function("feature_alpha_dropout", _feature_alpha, False)
feature_alpha_dropout_ = _feature_alpha_
rrelu = _C.python_function("rrelu", _rrelu, False)
native_batch_norm = _C.python_function("native_batch_norm", native_batch_norm, False)
native_group_norm = _C.python_function("native_group_norm", native_group_norm, False)
native_layer_norm = _C.python_function("native_layer_norm", native_layer_norm, False)
(bilinear, channel_shuffle, cosine_similarity, native_channel_shuffle, pairwise_distance, pdist, pixel_shuffle, pixel_unshuffle,
 rms_norm, conv_tbc) = (
    F.bilinear, F.channel_shuffle, F.cosine_similarity, F.native_channel_shuffle, F.pairwise_distance, F.pdist,
    F.pixel_shuffle, F.pixel_unshuffle, F.rms_norm, F.conv_tbc)


def _named(reduction):
    """A reduction given as a number or as a name."""
    return _REDUCTIONS[reduction] if isinstance(reduction, int) else reduction


@_op
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True):
    """nn.functional.layer_norm."""
    return F.layer_norm(input, normalized_shape, weight, bias, eps)


@_op
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """nn.functional.group_norm."""
    return F.group_norm(input, num_groups, weight, bias, eps)


@_op
def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """nn.functional.batch_norm with its arguments in another order."""
    return native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@_op
def instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled):
    """nn.functional.instance_norm with its arguments in another order."""
    return F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@_op
def _native_batch_norm_legit(input, weight, bias, running_mean, running_var, training, momentum=None, eps=None):
    """native_batch_norm; without running statistics these two places hold `training` and `momentum`."""
    if not isinstance(running_mean, (hearth.Tensor, type(None))):
        # (input, weight, bias, training, momentum, eps): batch statistics only.
        training, momentum, eps, running_mean, running_var = running_mean, running_var, training, None, None
        return native_batch_norm(input, weight, bias, None, None, True, momentum, eps)
    return native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


@_op
def _batch_norm_with_update(input, weight, bias, running_mean, running_var, momentum, eps):
    """native_batch_norm in training, and an empty reserve."""
    made = native_batch_norm(input, weight, bias, running_mean, running_var, True, momentum, eps)
    return (*made, hearth.empty([0], dtype=_C.uint8))


@_op
def native_dropout(input, p, train):
    """(dropout, the mask of what was kept)."""
    if not train or p == 0:
        return input.clone(), hearth.ones_like(input, dtype=_C.bool)
    if p == 1:
        return input * 0, hearth.zeros_like(input, dtype=_C.bool)
    kept = _noise(input, 1 - p, False)
    return input * kept * (1 / (1 - p)), kept.bool()


@_op
def native_dropout_backward(grad_output, mask, scale):
    """grad_output * mask * scale."""
    return grad_output * (mask.type_as(grad_output) * scale)


@_op
def embedding_bag(weight, indices, offsets, scale_grad_by_freq=False, mode=0, sparse=False, per_sample_weights=None,
                  include_last_offset=False, padding_idx=None):
    """(bags, the bag of each index, sizes of bags, the largest of each) of nn.functional.embedding_bag."""
    name = ("sum", "mean", "max")[mode]
    bags = F.embedding_bag(indices, weight, offsets, None, 2, scale_grad_by_freq, name, sparse, per_sample_weights,
                           include_last_offset, padding_idx)
    ends = hearth.cat([offsets[1:], hearth.tensor([indices.shape[0]])]) if not include_last_offset else offsets[1:]
    sizes = ends - offsets[:ends.shape[0]]
    owner = hearth.arange(sizes.shape[0]).repeat_interleave(sizes)
    return bags, owner, sizes, sizes.clone()


@_op
def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """nn.functional.grid_sample with modes as numbers."""
    return F.grid_sample(input, grid, ("bilinear", "nearest", "bicubic")[interpolation_mode],
                         ("zeros", "border", "reflection")[padding_mode], align_corners)


@_op
def grid_sampler_2d(input, grid, interpolation_mode, padding_mode, align_corners):
    """grid_sampler of images."""
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


@_op
def grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners):
    """grid_sampler of volumes."""
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


@_op
def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """A convolution, or its transpose, of any number of dimensions."""
    kind = ("1d", "2d", "3d")[weight.dim() - 3]
    if transposed:
        return getattr(_C, "conv_transpose" + kind)(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return getattr(_C, "conv" + kind)(input, weight, bias, stride, padding, dilation, groups)


@_op
def _upsample_bilinear2d_aa(input, output_size, align_corners, scales_h=None, scales_w=None, *, scale_factors=None):
    """Bilinear resizing with antialiasing; sizes, or factors as a list."""
    return _antialiased("bilinear", input, output_size, align_corners, scale_factors or scales_h, scales_w)


@_op
def _upsample_bicubic2d_aa(input, output_size, align_corners, scales_h=None, scales_w=None, *, scale_factors=None):
    """Bicubic resizing with antialiasing; sizes, or factors as a list."""
    return _antialiased("bicubic", input, output_size, align_corners, scale_factors or scales_h, scales_w)


def _antialiased(mode, input, output_size, align_corners, scales_h, scales_w):
    factors = scales_h if isinstance(scales_h, (list, tuple)) else [scales_h or 0.0, scales_w or 0.0]
    if output_size is None and not any(factors):
        raise RuntimeError("Must specify exactly one of output_size and scale_factors")
    if output_size is None:
        output_size = [int(size * factor) for size, factor in zip(input.shape[2:], factors)]
    return _C._nn_resize(input, output_size, list(factors), mode, align_corners, True)


@_op
def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=1):
    """nn.functional.binary_cross_entropy_with_logits."""
    return F.binary_cross_entropy_with_logits(input, target, weight, reduction=_named(reduction), pos_weight=pos_weight)


@_op
def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=1):
    """nn.functional.cosine_embedding_loss."""
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=_named(reduction))


@_op
def hinge_embedding_loss(input, target, margin=1.0, reduction=1):
    """nn.functional.hinge_embedding_loss."""
    return F.hinge_embedding_loss(input, target, margin, reduction=_named(reduction))


@_op
def margin_ranking_loss(input1, input2, target, margin=0.0, reduction=1):
    """nn.functional.margin_ranking_loss."""
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=_named(reduction))


@_op
def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, reduction=1):
    """nn.functional.triplet_margin_loss."""
    return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_named(reduction))


@_op
def kl_div(input, target, reduction=1, *, log_target=False):
    """nn.functional.kl_div."""
    return F.kl_div(input, target, reduction=_named(reduction), log_target=log_target)


@_op
def poisson_nll_loss(input, target, log_input, full, eps, reduction):
    """nn.functional.poisson_nll_loss."""
    return F.poisson_nll_loss(input, target, log_input, full, None, eps, None, _named(reduction))


@_op
def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=1, zero_infinity=False):
    """nn.functional.ctc_loss."""
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _named(reduction), zero_infinity)


@_op
def multilabel_margin_loss_forward(input, target, reduction):
    """(nn.functional.multilabel_margin_loss, 1 at each wanted class)."""
    return multilabel_margin_parts(input, target, _named(reduction))


@_op
def _softmax_backward_data(grad_output, output, dim, input_dtype):
    """The gradient of softmax's input."""
    dy, y = _wide(grad_output), _wide(output)
    product = dy * y
    return (product - y * product.sum(dim, keepdim=True)).to(input_dtype)


@_op
def _log_softmax_backward_data(grad_output, output, dim, input_dtype):
    """The gradient of log_softmax's input."""
    dy = _wide(grad_output)
    return (dy - _wide(output).exp() * dy.sum(dim, keepdim=True)).to(input_dtype)


@_op
def _softmax(input, dim, half_to_float):
    """softmax."""
    return _C.softmax(input, dim, _C.float32 if half_to_float else None)


@_op
def _log_softmax(input, dim, half_to_float):
    """log_softmax."""
    return _C.log_softmax(input, dim, _C.float32 if half_to_float else None)
