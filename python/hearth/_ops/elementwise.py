"""Element-wise functions composed from the core's: angles, sinc, powers of two, set membership."""
import math

from .. import _C
from .._C import Tensor
from .._function import _package as hearth, function

_LN2 = math.log(2)


def _number(value):
    return isinstance(value, (int, float, complex))


def _widened(input):
    """16-bit floats as float32, so that only the last step rounds."""
    return input.float() if input.dtype in (_C.float16, _C.bfloat16) else input


@function("method", "inplace")
def deg2rad(input, *, out=None):
    """Degrees as radians."""
    if input.is_complex():
        raise RuntimeError("deg2rad is not supported for complex tensors.")
    return input * (math.pi / 180)


@function("method", "inplace")
def rad2deg(input, *, out=None):
    """Radians as degrees."""
    if input.is_complex():
        raise RuntimeError("rad2deg is not supported for complex tensors.")
    return input * (180 / math.pi)


@function("method", "inplace")
def sinc(input, *, out=None):
    """sin(pi x) / (pi x), 1 at 0."""
    x = _widened(input) * math.pi
    zero = x.detach() == 0
    return hearth.where(zero, 1, x.sin() / hearth.where(zero, 1, x)).to(x.dtype if x is input else _result(input))


def _result(input):
    return input.dtype if input.is_floating_point() or input.is_complex() else hearth.get_default_dtype()


@function("method")
def logaddexp2(input, other, *, out=None):
    """log2(2^x + 2^y) without overflow."""
    dtype = hearth.result_type(input, other)
    if not (dtype.is_floating_point or dtype.is_complex):
        raise NotImplementedError(f"logaddexp2: not implemented for {dtype}")
    x, y = _widened(input), _widened(other)
    return (hearth.logaddexp(x * _LN2, y * _LN2) / _LN2).to(dtype)


@function("method", "inplace")
def float_power(input, exponent, *, out=None):
    """The power, computed and returned in float64 or complex128."""
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError("float_power(): one of the arguments must be a Tensor")
    complicated = any(isinstance(v, complex) or (isinstance(v, Tensor) and v.is_complex()) for v in (input, exponent))
    wide = _C.complex128 if complicated else _C.float64
    base = input.to(wide) if isinstance(input, Tensor) else hearth.tensor(input, dtype=wide)
    return hearth.pow(base, exponent.to(wide) if isinstance(exponent, Tensor) else exponent)


@function("method", "inplace")
def ldexp(input, other, *, out=None):
    """x * 2^other."""
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        raise TypeError("ldexp(): both arguments must be Tensors")
    return input * hearth.pow(2.0, other)


@function("method", "inplace")
def heaviside(input, values, *, out=None):
    """0 below 0, 1 above it, `values` at 0."""
    if not isinstance(values, Tensor):
        raise TypeError("heaviside(): argument 'values' must be Tensor")
    if input.is_complex() or values.is_complex():
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return hearth.where(input.detach() == 0, values, (input.detach() > 0).to(input.dtype))


@function("method", "inplace")
def mvlgamma(input, p, *, out=None):
    """The logarithm of the multivariate gamma function of dimension p."""
    if p < 1:
        raise RuntimeError("mvlgamma: p has to be greater than or equal to 1")
    if input.dtype == _C.bool or input.is_complex():
        raise RuntimeError(f"mvlgamma: not implemented for {input.dtype}")
    x = input if input.is_floating_point() else input.to(hearth.get_default_dtype())
    halves = hearth.arange(-p * 0.5 + 0.5, 0.5, 0.5, dtype=x.dtype)
    return (x.unsqueeze(-1) + halves).lgamma().sum(-1) + p * (p - 1) * 0.25 * math.log(math.pi)


@function(name="isin")
def isin(elements, test_elements, *, assume_unique=False, invert=False, out=None):
    """Which elements occur among test_elements."""
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin(): one of the arguments must be a Tensor")
    x = elements if isinstance(elements, Tensor) else hearth.tensor(elements)
    tested = test_elements if isinstance(test_elements, Tensor) else hearth.tensor(test_elements)
    if x.is_complex() or tested.is_complex():
        raise RuntimeError("isin: Unsupported input type encountered for isin(): complex")
    dtype = hearth.result_type(x, tested)
    x, tested = x.detach().to(dtype), tested.detach().to(dtype).reshape(-1)
    if tested.numel() == 0:
        found = hearth.zeros(x.shape, dtype=_C.bool)
    elif tested.numel() < 16:
        found = (x.unsqueeze(-1) == tested).any(-1)
    else:
        ordered = tested.sort()[0]
        place = hearth.searchsorted(ordered, x.contiguous()).clamp(max=ordered.numel() - 1)
        found = ordered[place] == x
    return ~found if invert else found


for _new, _old in (("__rdiv__", "__rtruediv__"), ("__div__", "__truediv__"), ("__idiv__", "__itruediv__")):
    setattr(Tensor, _new, getattr(Tensor, _old))
