"""Batch normalization folded into the convolution or linear layer before it, for evaluation."""

import copy

import hearth

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose: bool = False):
    """(weight, bias) of the convolution that does what convolution and normalization did."""
    conv_b = hearth.zeros_like(bn_rm) if conv_b is None else conv_b
    bn_w = hearth.ones_like(bn_rm) if bn_w is None else bn_w
    bn_b = hearth.zeros_like(bn_rm) if bn_b is None else bn_b
    scale = hearth.rsqrt(bn_rv + bn_eps)
    shape = [1, -1] if transpose else [-1, 1]
    shape += [1] * (conv_w.dim() - 2)
    weight = (conv_w * (bn_w * scale).reshape(shape)).to(dtype=conv_w.dtype)
    bias = ((conv_b - bn_rm) * scale * bn_w + bn_b).to(dtype=conv_b.dtype)
    return _like(weight, conv_w), _like(bias, conv_b)


def _like(value, old):
    return hearth.nn.Parameter(value, old.requires_grad)


def fuse_conv_bn_eval(conv, bn, transpose: bool = False):
    """A copy of `conv` that does what `conv` and `bn`, both in evaluation mode, do together."""
    if conv.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("Fusion requires running statistics")
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """(weight, bias) of the linear layer that does what linear layer and normalization did."""
    linear_b = hearth.zeros_like(bn_rm) if linear_b is None else linear_b
    scale = bn_w * hearth.rsqrt(bn_rv + bn_eps)
    weight = linear_w * scale.unsqueeze(-1).to(dtype=linear_w.dtype)
    bias = ((linear_b - bn_rm) * scale + bn_b).to(dtype=linear_b.dtype)
    return _like(weight, linear_w), _like(bias, linear_b)


def fuse_linear_bn_eval(linear, bn):
    """A copy of `linear` that does what `linear` and `bn`, both in evaluation mode, do together."""
    if linear.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused
