"""nn.functional: activation functions, softmax and its kin."""
import warnings

import hearth

from .. import _C
from .._function import function

_op = function("hidden", module=globals())


def _written(name, body):
    """The in-place form of an op: computes `body`, writes the result over the first argument."""
    return _C.python_function(name, body, True)


def _leaky_relu(input, negative_slope=0.01):
    return _C._nn_leaky_relu(input, negative_slope)


def _elu(input, alpha=1.0):
    return _C._nn_elu(input, alpha)


def _hardtanh(input, min_val=-1.0, max_val=1.0):
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.dtype == _C.bool:
        raise NotImplementedError("hardtanh: not defined for bool")
    if not (input.is_floating_point() or (float(min_val).is_integer() and float(max_val).is_integer())):
        min_val, max_val = int(min_val), int(max_val)
    if not input.dtype.is_signed:
        # As in PyTorch, bounds are converted to the input's dtype: -1 becomes 255.
        bits = 8 * input.element_size()
        min_val, max_val = int(min_val) % (1 << bits), int(max_val) % (1 << bits)
    return _C._nn_hardtanh(input, min_val, max_val) if input.is_floating_point() else hearth.clamp(
        input, int(min_val), int(max_val))


def _rrelu(input, lower=0.125, upper=1 / 3, training=False):
    if lower > upper:
        raise RuntimeError(f"rrelu: lower bound should be less than or equal to the upper bound: {lower}, {upper}")
    if not training:
        return _C._nn_leaky_relu(input, (lower + upper) / 2)
    low = input.detach() <= 0
    # One double is drawn for each element that is not positive, in order.
    drawn = _C._nn_uniform([int(low.sum())], lower, upper)
    slopes = hearth.ones_like(input.detach(), memory_format=hearth.contiguous_format)
    slopes = slopes.masked_scatter(low, drawn.to(input.dtype))
    return input * slopes


leaky_relu_ = _written("leaky_relu", _leaky_relu)
elu_ = _written("elu", _elu)
hardtanh_ = _written("hardtanh", _hardtanh)
_silu_ = _written("silu", lambda input: _C._nn_silu(input))
_mish_ = _written("mish", lambda input: _C._nn_mish(input))
_hardsigmoid_ = _written("hardsigmoid", lambda input: _C._nn_hardsigmoid(input))
_hardswish_ = _written("hardswish", lambda input: _C._nn_hardswish(input))
rrelu_ = _written("rrelu", _rrelu)
relu_ = _C.relu_
selu_ = _C.selu_
celu_ = _C.celu_
threshold_ = _C.threshold_
hardshrink = _C.hardshrink
prelu = _C.prelu


@_op
def relu(input, inplace=False):
    """max(0, input)."""
    return _C.relu_(input) if inplace else _C.relu(input)


@_op
def relu6(input, inplace=False):
    """min(max(0, input), 6)."""
    return hardtanh_(input, 0, 6) if inplace else _hardtanh(input, 0, 6)


@_op
def elu(input, alpha=1.0, inplace=False):
    """input where positive, alpha (exp(input) - 1) elsewhere."""
    return elu_(input, alpha) if inplace else _C._nn_elu(input, alpha)


@_op
def selu(input, inplace=False):
    """The scaled elu of Klambauer et al. 2017."""
    return _C.selu_(input) if inplace else _C.selu(input)


@_op
def celu(input, alpha=1.0, inplace=False):
    """max(0, input) + min(0, alpha (exp(input / alpha) - 1))."""
    return _C.celu_(input, alpha) if inplace else _C.celu(input, alpha)


@_op
def leaky_relu(input, negative_slope=0.01, inplace=False):
    """input where positive, negative_slope * input elsewhere."""
    return leaky_relu_(input, negative_slope) if inplace else _C._nn_leaky_relu(input, negative_slope)


@_op
def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """leaky_relu with slopes drawn from [lower, upper) in training, with their middle otherwise."""
    return rrelu_(input, lower, upper, training) if inplace else _rrelu(input, lower, upper, training)


@_op
def threshold(input, threshold, value, inplace=False):
    """input where above `threshold`, `value` elsewhere."""
    return _C.threshold_(input, threshold, value) if inplace else _C.threshold(input, threshold, value)


@_op
def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """input between two bounds."""
    return hardtanh_(input, min_val, max_val) if inplace else _hardtanh(input, min_val, max_val)


@_op
def hardsigmoid(input, inplace=False):
    """min(max(input + 3, 0), 6) / 6."""
    return _hardsigmoid_(input) if inplace else _C._nn_hardsigmoid(input)


@_op
def hardswish(input, inplace=False):
    """input * hardsigmoid(input)."""
    return _hardswish_(input) if inplace else _C._nn_hardswish(input)


@_op
def silu(input, inplace=False):
    """input * sigmoid(input)."""
    if input.is_complex():
        made = input * hearth.sigmoid(input)
        return input.copy_(made) if inplace else made
    return _silu_(input) if inplace else _C._nn_silu(input)


@_op
def mish(input, inplace=False):
    """input * tanh(softplus(input))."""
    return _mish_(input) if inplace else _C._nn_mish(input)


@_op
def gelu(input, *, approximate="none", out=None):
    """input times the normal distribution function of it; approximate="tanh" for the quick form."""
    return _C._nn_gelu(input, approximate)


@_op
def logsigmoid(input):
    """log(sigmoid(input))."""
    return _C._nn_logsigmoid(input)


@_op
def softplus(input, beta=1, threshold=20, *, out=None):
    """log(1 + exp(beta input)) / beta, and input itself where beta input is above the threshold."""
    return _C._nn_softplus(input, beta, threshold)


@_op
def softshrink(input, lambd=0.5, *, out=None):
    """input moved towards 0 by lambd, 0 within it."""
    return _C._nn_softshrink(input, lambd)


@_op
def softsign(input):
    """input / (1 + |input|)."""
    return input / (input.abs() + 1)


@_op
def tanhshrink(input):
    """input - tanh(input)."""
    return input - input.tanh()


@_op
def tanh(input):
    """The hyperbolic tangent."""
    return input.tanh()


@_op
def sigmoid(input):
    """1 / (1 + exp(-input))."""
    return input.sigmoid()


@_op
def glu(input, dim=-1):
    """The first half of a dimension times the sigmoid of the second."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    return _C._nn_glu(input, dim)


def _softmax_dim(name, ndim, stacklevel):
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
                  "argument.", stacklevel=stacklevel + 1)
    return 0 if ndim in (0, 1, 3) else 1


@_op
def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(input) divided by its sum along `dim`."""
    if dim is None:
        dim = _softmax_dim("softmax", input.dim(), _stacklevel)
    return _C.softmax(input, dim, dtype)


@_op
def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """The logarithm of softmax, computed in one."""
    if dim is None:
        dim = _softmax_dim("log_softmax", input.dim(), _stacklevel)
    return _C.log_softmax(input, dim, dtype)


@_op
def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax of -input."""
    if dim is None:
        dim = _softmax_dim("softmin", input.dim(), _stacklevel)
    return _C.softmax(-input, dim, dtype)


@_op
def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A sample of the Gumbel-softmax distribution (Jang et al. 2017); `hard` makes it one-hot with the soft gradient."""
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = -hearth.empty_like(logits, memory_format=hearth.contiguous_format).exponential_().log()
    soft = _C.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one = hearth.zeros_like(logits, memory_format=hearth.contiguous_format).scatter(dim, index, 1.0)
    return one - soft.detach() + soft
