"""nn.functional: normalisation over batches, layers, groups and neighbours."""
import math

import hearth

from .. import _C
from .._function import function

_op = function("hidden", module=globals())


def _wide(x):
    """16-bit floats as float32."""
    return x.float() if x.dtype in (_C.float16, _C.bfloat16) else x


def _along_channels(vector, input):
    return _wide(vector).reshape([1, -1] + [1] * (input.dim() - 2))


def _scaled(normal, weight, bias):
    if weight is not None:
        normal = normal * _along_channels(weight, normal)
    return normal if bias is None else normal + _along_channels(bias, normal)


def _check_vector(name, what, vector, size):
    if vector is not None and (vector.dim() != 1 or vector.numel() != size):
        raise RuntimeError(f"{name}: {what} should contain {size} elements not {vector.numel()}")


def _kept_dtype(input, weight):
    """The dtype of statistics that are returned: float32 where the parameters are wider than the input."""
    return input.dtype if weight is None or weight.dtype == input.dtype else _C.float32


def _batch_statistics(input, running_mean, running_var, training, momentum, eps):
    """Mean and reciprocal deviation of each channel; in training the running ones are moved."""
    x = _wide(input)
    if not training:
        mean, var = _wide(running_mean), _wide(running_var)
        return x, mean, (var + eps).rsqrt()
    dims = [0, *range(2, x.dim())]
    mean = x.mean(dims)
    apart = x - mean.reshape([1, -1] + [1] * (x.dim() - 2))
    var = (apart * apart).mean(dims)
    count = x.numel() // max(1, x.shape[1])
    with hearth.no_grad():
        if running_mean is not None:
            running_mean.copy_(running_mean * (1 - momentum) + mean.detach().to(running_mean.dtype) * momentum)
        if running_var is not None:
            wide = var.detach() * (count / max(1, count - 1))
            running_var.copy_(running_var * (1 - momentum) + wide.to(running_var.dtype) * momentum)
    return x, mean, (var + eps).rsqrt()


def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """(normalised input, mean, reciprocal deviation); the statistics are empty outside training."""
    if input.numel() == 0 and input.dim() < 2:
        return input.clone(), input.new_empty([0]), input.new_empty([0])
    if input.dim() < 2:
        raise RuntimeError(f"batch_norm: needs [N, C, ...], got {list(input.shape)}")
    channels = input.shape[1]
    for what, vector in (("weight", weight), ("bias", bias), ("running_mean", running_mean), ("running_var", running_var)):
        _check_vector("batch_norm", what, vector, channels)
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("batch_norm: running_mean and running_var must be defined in evaluation mode")
    x, mean, scale = _batch_statistics(input, running_mean, running_var, training, momentum, eps)
    across = [1, -1] + [1] * (x.dim() - 2)
    normal = (x - mean.reshape(across)) * scale.reshape(across)
    output = _scaled(normal, weight, bias).to(input.dtype)
    kept = _kept_dtype(input, weight)
    if not training:
        return output, hearth.empty([0], dtype=kept), hearth.empty([0], dtype=kept)
    return output, mean.detach().to(kept), scale.detach().to(kept)


def _more_than_one(shape):
    if shape[0] * math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {hearth.Size(shape)}")


@_op
def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Normalises each channel over batch and places (Ioffe and Szegedy 2015)."""
    if training:
        _more_than_one(input.shape)
    if eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive, but got {eps}")
    momentum = 0.0 if momentum is None else momentum
    return native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@_op
def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """Normalises each channel of each sample over its places (Ulyanov et al. 2016)."""
    if eps <= 0.0:
        raise ValueError(f"instance_norm eps must be positive, but got {eps}")
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
        return native_batch_norm(input, weight, bias, running_mean, running_var, False, momentum, eps)[0]
    count = math.prod(input.shape[2:])
    if count == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    n, c = input.shape[:2]
    means, deviations = (None if r is None else r.detach().repeat(n) for r in (running_mean, running_var))
    rows = input.reshape([1, n * c, *input.shape[2:]])
    weights, biases = (None if v is None else v.repeat(n) for v in (weight, bias))
    normal = native_batch_norm(rows, weights, biases, means, deviations, True, momentum, eps)[0]
    with hearth.no_grad():
        for running, moved in ((running_mean, means), (running_var, deviations)):
            if running is not None:
                running.copy_(moved.reshape(n, c).mean(0))
    return normal.reshape(input.shape)


def _check_normalized(name, input, shape, weight, bias):
    shape = [shape] if isinstance(shape, int) else list(shape)
    if not shape:
        raise RuntimeError(f"{name}: normalized_shape must be at least 1-dimensional")
    for what, given in (("weight", weight), ("bias", bias)):
        if given is not None and list(given.shape) != shape:
            raise RuntimeError(f"{name}: expected {what} to be of same shape as normalized_shape, but got {what} of shape "
                               f"{list(given.shape)} and normalized_shape = {shape}")
    if list(input.shape[-len(shape):]) != shape or input.dim() < len(shape):
        raise RuntimeError(f"{name}: given normalized_shape={shape}, expected input with shape [*, {shape}], but got input "
                           f"of size {list(input.shape)}")
    return shape


def _rows(x, count):
    return x.reshape([-1 if x.numel() else x.numel() // max(1, count), count]) if x is not None else None


def _flat(x):
    return None if x is None else x.reshape(-1)


@_op
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalises over the last dimensions, those of `normalized_shape` (Ba et al. 2016)."""
    shape = _check_normalized("layer_norm", input, normalized_shape, weight, bias)
    if not input.is_floating_point():
        raise NotImplementedError(f"layer_norm: not defined for {input.dtype}")
    if input.numel() == 0:
        # What is empty still passes gradients, all zero, to the parameters.
        made = input.clone() if weight is None else input * weight
        return made if bias is None else made + bias
    weight, bias = (given if given is None or given.dtype == input.dtype else given.to(input.dtype)
                    for given in (weight, bias))
    if len(shape) == 1:
        return _C._nn_layer_norm(input, weight, bias, eps)
    count = math.prod(shape)
    return _C._nn_layer_norm(_rows(input, count), _flat(weight), _flat(bias), eps).reshape(input.shape)


def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(layer_norm, mean, reciprocal deviation)."""
    shape = _check_normalized("native_layer_norm", input, normalized_shape, weight, bias)
    output = layer_norm(input, shape, weight, bias, eps)
    with hearth.no_grad():
        x, dims = _wide(input.detach()), list(range(input.dim() - len(shape), input.dim()))
        mean = x.mean(dims, keepdim=True)
        rstd = ((x - mean).square().mean(dims, keepdim=True) + eps).rsqrt()
    kept = _kept_dtype(input, weight)
    return output, mean.to(kept), rstd.to(kept)


@_op
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Divides by the root of the mean square over the last dimensions (Zhang and Sennrich 2019)."""
    shape = _check_normalized("rms_norm", input, normalized_shape, weight, None)
    dtype = input.dtype if weight is None else hearth.promote_types(input.dtype, weight.dtype)
    if eps is None:
        eps = hearth.finfo(_wide(input).dtype if not input.is_complex() else input.dtype).eps
    if input.is_complex() or input.numel() == 0:
        dims = list(range(input.dim() - len(shape), input.dim()))
        normal = input * (input.pow(2).mean(dims, keepdim=True) + eps).rsqrt()
        return normal if weight is None else normal * weight
    if not input.is_floating_point():
        raise RuntimeError(f"rms_norm: not defined for {input.dtype}")
    count = math.prod(shape)
    x = input.to(dtype)
    scale = None if weight is None else weight.to(dtype).reshape(-1)
    return _C._nn_rms_norm(_rows(x, count), scale, eps).reshape(input.shape)


def _check_group(input, weight, bias, channels, groups):
    _check_vector("group_norm", "weight", weight, channels)
    _check_vector("group_norm", "bias", bias, channels)
    if groups <= 0 or channels % groups:
        raise RuntimeError("Expected number of channels in input to be divisible by num_groups, but got input of shape "
                           f"{list(input.shape)} and num_groups={groups}")


def _group_norm(input, weight, bias, count, channels, places, groups, eps):
    x = _wide(input)
    if input.numel():
        rows = x.reshape(count * groups, channels // groups * places)
        x = _C._nn_layer_norm(rows, None, None, eps).reshape(count, channels, places)
    return _scaled(x, weight, bias).reshape(input.shape).to(input.dtype)


def native_group_norm(input, weight, bias, N, C, HxW, group, eps):  # noqa: N803
    """(group_norm, means [N, group], reciprocal deviations)."""
    _check_group(input, weight, bias, C, group)
    output = _group_norm(input, weight, bias, N, C, HxW, group, eps)
    rows = _wide(input).reshape(N * group, C // group * HxW)
    mean = rows.mean(1, keepdim=True)
    rstd = ((rows - mean).square().mean(1, keepdim=True) + eps).rsqrt()
    kept = _kept_dtype(input, weight)
    return output, mean.reshape(N, group).to(kept), rstd.reshape(N, group).to(kept)


@_op
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalises groups of channels of each sample (Wu and He 2018)."""
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    n, c = input.shape[:2]
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    count = n * c // num_groups * math.prod(input.shape[2:])
    if count == 1 and c % num_groups == 0:
        raise ValueError("Expected more than 1 value per channel when training, got input size "
                         f"{[n * c // num_groups, num_groups, *input.shape[2:]]}")
    places = math.prod(input.shape[2:])
    if places == 0:
        raise RuntimeError(f"Expected HxW to be greater than 0, got {places}")
    _check_group(input, weight, bias, c, num_groups)
    return _group_norm(input, weight, bias, n, c, places, num_groups, eps)


@_op
def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """Divides by (k + alpha * mean of squares over `size` neighbouring channels)^beta (Krizhevsky et al. 2012)."""
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    if input.numel() == 0:
        return input
    squares = (input * input).unsqueeze(1)
    before, after = size // 2, (size - 1) // 2
    rows = squares.flatten(3) if input.dim() > 3 else squares
    rows = _C._nn_pad(rows, [0, 0, before, after], "constant", 0.0)
    means = _C._nn_avg_pool2d(rows, [size, 1], 1).squeeze(1).reshape(input.shape)
    return input / means.mul(alpha).add(k).pow(beta)


@_op
def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """input / max(p-norm along `dim`, eps)."""
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
