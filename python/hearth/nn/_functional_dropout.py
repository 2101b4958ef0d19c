"""nn.functional: dropout of elements and of whole channels. Random numbers are drawn as PyTorch draws them."""
import math
import warnings

from .. import _C
from .._function import function

_op = function("hidden", module=globals())

# The negative limit of selu, -scale * alpha (Klambauer et al. 2017), with its sign turned.
_SELU_LIMIT = 1.7580993408473766


def _check(p, what="dropout"):
    if p < 0.0 or p > 1.0:
        raise ValueError(f"{what} probability has to be between 0 and 1, but got {p}")


def _noise(input, keep, by_channel):
    if not by_channel:
        return _C._nn_noise(input, list(input.shape), keep)
    if input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _C._nn_noise(input, [*input.shape[:2]] + [1] * (input.dim() - 2), keep)


def _drop(input, p, training, by_channel=False, alpha=False):
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        return input * _C.zeros_like(input)
    noise = _noise(input, 1 - p, by_channel)
    if not alpha:
        return input * noise.div(1 - p)
    # What is dropped becomes selu's limit; scale and shift keep mean and variance.
    scale = 1 / math.sqrt((_SELU_LIMIT * _SELU_LIMIT * p + 1) * (1 - p))
    shift = noise.add(-1).mul(_SELU_LIMIT * scale).add(_SELU_LIMIT * scale * p)
    return input * noise.mul(scale) + shift


def _plain(input, p, train):
    _check(p)
    return _C._nn_dropout(input, p, train) if input.numel() else input


def _feature(input, p, train):
    _check(p)
    return _drop(input, p, train, by_channel=True)


def _alpha(input, p, train):
    _check(p)
    return _drop(input, p, train, alpha=True)


def _feature_alpha(input, p, train):
    _check(p)
    return _drop(input, p, train, by_channel=True, alpha=True)


_plain_ = _C.python_function("dropout", _plain, True)
_feature_ = _C.python_function("feature_dropout", _feature, True)
_alpha_ = _C.python_function("alpha_dropout", _alpha, True)
_feature_alpha_ = _C.python_function("feature_alpha_dropout", _feature_alpha, True)


@_op
def dropout(input, p=0.5, training=True, inplace=False):
    """Zeroes elements with probability p and scales the others by 1 / (1 - p), in training."""
    _check(p)
    return _plain_(input, p, training) if inplace else _plain(input, p, training)


@_op
def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean and variance of selu's output."""
    _check(p)
    return _alpha_(input, p, training) if inplace else _alpha(input, p, training)


@_op
def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """alpha_dropout of whole channels."""
    _check(p)
    return _feature_alpha_(input, p, training) if inplace else _feature_alpha(input, p, training)


@_op
def dropout1d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of [N, C, L] or [C, L]."""
    _check(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. Note that dropout1d "
                           "exists to provide channel-wise dropout on inputs with 1 spatial dimension.")
    return _by_channel(input, p, training, inplace, input.dim() == 3)


@_op
def dropout2d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of [N, C, H, W]."""
    _check(p)
    if input.dim() not in (3, 4):
        warnings.warn(f"dropout2d: Received a {input.dim()}-D input to dropout2d, which is deprecated and will result in "
                      "an error in a future release.", stacklevel=2)
    if input.dim() == 3:
        warnings.warn("dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
                      "desired - input is interpreted as shape (N, C, L).", stacklevel=2)
    return _by_channel(input, p, training, inplace, True)


@_op
def dropout3d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of [N, C, D, H, W] or [C, D, H, W]."""
    _check(p)
    if input.dim() not in (4, 5):
        warnings.warn(f"dropout3d: Received a {input.dim()}-D input to dropout3d, which is deprecated and will result in "
                      "an error in a future release.", stacklevel=2)
    return _by_channel(input, p, training, inplace, input.dim() == 5)


def _by_channel(input, p, training, inplace, batched):
    batch = input if batched else input.unsqueeze(0)
    made = (_feature_ if inplace else _feature)(batch, p, training)
    if batched:
        return made
    return input if inplace else made.squeeze(0)
