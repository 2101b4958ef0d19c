"""Element-wise functions. Each checks the kind of its types, promotes by the standard, then calls the tensor's op."""

import hearth

from ._array import Array, scalar_tensor, tensor_of
from ._dtypes import KINDS, iinfo_object, is_kind, name_of, promote, result_type, with_scalar


def one(x, op: str, kind: str):
    """The tensor of the argument `x` of `op`, which takes arrays of this kind."""
    tensor = tensor_of(x, op)
    if tensor.dtype not in KINDS[kind]:
        raise TypeError(f"{op}: takes arrays of kind {kind}: got {name_of(tensor.dtype)}")
    return tensor


def two(x1, x2, op: str, kind: str):
    """Both tensors in the type they promote to; one of the two may be a Python number."""
    number1, number2 = (isinstance(x, (bool, int, float, complex)) for x in (x1, x2))
    if number1 and number2:
        raise TypeError(f"{op}: at least one argument must be an array")
    if number1 or number2:
        number, tensor = (x1, tensor_of(x2, op)) if number1 else (x2, tensor_of(x1, op))
        dtype = with_scalar(tensor.dtype, number)
        a = scalar_tensor(number, dtype)
        tensor = tensor.to(dtype)
        a, b = (a, tensor) if number1 else (tensor, a)
    else:
        a, b = tensor_of(x1, op), tensor_of(x2, op)
        dtype = promote(a.dtype, b.dtype)
        a, b = a.to(dtype), b.to(dtype)
    if dtype not in KINDS[kind]:
        raise TypeError(f"{op}: takes arrays of kind {kind}: got {name_of(dtype)}")
    return a, b


def _unary(name, kind, run=None, doc=""):
    def function(x, /):
        return Array((run or getattr(hearth, name))(one(x, name, kind)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc or f"{name}(x), element by element; x: {kind}."
    return function


def _binary(name, kind, run=None, doc=""):
    def function(x1, x2, /):
        a, b = two(x1, x2, name, kind)
        return Array((run or getattr(hearth, name))(a, b))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc or f"{name}(x1, x2), element by element; {kind}; one of the two may be a Python number."
    return function


def _same_for_integers(run):
    """An op that integers come out of as they are."""
    return lambda x: x.clone() if is_kind(x.dtype, "integral or bool") else run(x)


def _by_parts(run):
    """A real op, applied to both parts of complex numbers."""
    return lambda x: hearth.complex(run(hearth.real(x)), run(hearth.imag(x))) if x.dtype.is_complex else run(x)


def _sign(x):
    if x.dtype.is_complex:
        return hearth.sgn(x)
    if is_kind(x.dtype, "integral"):
        return (x > 0).to(x.dtype) - (x < 0).to(x.dtype)
    return hearth.where(hearth.isnan(x), x, hearth.sign(x))


def _floor_divide(a, b):
    if is_kind(a.dtype, "integral"):
        return hearth.floor_divide(a, b)
    # The quotient of an infinity is one, which fmod's way of finding it loses.
    plain = a / b
    exact = hearth.floor_divide(a, b)
    return hearth.where(hearth.isinf(a) | hearth.isinf(b) | (b == 0), hearth.floor(plain), exact)


def _remainder(a, b):
    if is_kind(a.dtype, "integral"):
        return hearth.remainder(a, b)
    value = hearth.remainder(a, b)
    # With an infinite divisor: the number itself where the signs agree, the divisor elsewhere; zeros take b's sign.
    away = (a < 0) != (b < 0)
    infinite = hearth.isinf(b) & hearth.isfinite(a)
    value = hearth.where(infinite, hearth.where(away & (a != 0), b, a), value)
    return hearth.where(value == 0, hearth.copysign(value, b), value)


def _abs(x):
    return x.clone() if is_kind(x.dtype, "unsigned integer") else hearth.abs(x)


def _negative(x):
    return hearth.zeros_like(x) - x if is_kind(x.dtype, "unsigned integer") else hearth.neg(x)


def _real(x):
    return hearth.real(x) if x.dtype.is_complex else x


def _imag(x):
    return hearth.imag(x) if x.dtype.is_complex else hearth.zeros_like(x)


def _expm1(x):
    """At infinities and NaN what exp gives, less 1; +0 for a zero of either sign."""
    if not x.dtype.is_complex:
        return hearth.expm1(x)
    near, far = hearth.expm1(x), hearth.exp(x)
    finite = hearth.isfinite(x)
    return hearth.complex(
        hearth.where(finite, hearth.real(near) + 0.0, hearth.real(far) - 1),
        hearth.where(finite, hearth.imag(near), hearth.imag(far)),
    )


def _tanh(x):
    """The imaginary part at an infinite real one is the zero of the argument's sign, as the standard has it."""
    value = hearth.tanh(x)
    if not x.dtype.is_complex:
        return value
    edge = hearth.isinf(hearth.real(x)) & hearth.isfinite(hearth.imag(x))
    zero = hearth.copysign(hearth.zeros_like(hearth.imag(x)), hearth.imag(x))
    return hearth.complex(hearth.real(value), hearth.where(edge, zero, hearth.imag(value)))


def _finite_only(run, integers):
    def test(x):
        if is_kind(x.dtype, "integral"):
            return hearth.full_like(x, integers, dtype=hearth.bool)
        return run(x)

    return test


abs = _unary("abs", "numeric", _abs)
acos = _unary("acos", "floating")
acosh = _unary("acosh", "floating")
asin = _unary("asin", "floating")
asinh = _unary("asinh", "floating")
atan = _unary("atan", "floating")
atanh = _unary("atanh", "floating")
bitwise_invert = _unary("bitwise_invert", "integral or bool", lambda x: hearth.bitwise_not(x))
ceil = _unary("ceil", "real", _same_for_integers(lambda x: hearth.ceil(x)))
conj = _unary("conj", "numeric", lambda x: hearth.conj(x).resolve_conj() if x.dtype.is_complex else x)
cos = _unary("cos", "floating")
cosh = _unary("cosh", "floating")
exp = _unary("exp", "floating")
expm1 = _unary("expm1", "floating", _expm1)
floor = _unary("floor", "real", _same_for_integers(lambda x: hearth.floor(x)))
imag = _unary("imag", "numeric", _imag)
isfinite = _unary("isfinite", "numeric", _finite_only(lambda x: hearth.isfinite(x), True))
isinf = _unary("isinf", "numeric", _finite_only(lambda x: hearth.isinf(x), False))
isnan = _unary("isnan", "numeric", _finite_only(lambda x: hearth.isnan(x), False))
log = _unary("log", "floating")
log10 = _unary("log10", "floating")
log1p = _unary("log1p", "floating")
log2 = _unary("log2", "floating")
logical_not = _unary("logical_not", "bool")
negative = _unary("negative", "numeric", _negative)
positive = _unary("positive", "numeric", lambda x: x.clone())
real = _unary("real", "numeric", _real)
reciprocal = _unary("reciprocal", "floating")
round = _unary(
    "round",
    "numeric",
    _same_for_integers(_by_parts(lambda x: hearth.round(x))),
    "The nearest integer, the even one of two; complex numbers by their parts.",
)
sign = _unary("sign", "numeric", _sign)
signbit = _unary("signbit", "real floating")
sin = _unary("sin", "floating")
sinh = _unary("sinh", "floating")
sqrt = _unary("sqrt", "floating")
square = _unary("square", "numeric", lambda x: x * x)
tan = _unary("tan", "floating")
tanh = _unary("tanh", "floating", _tanh)
trunc = _unary("trunc", "real", _same_for_integers(lambda x: hearth.trunc(x)))

add = _binary("add", "numeric")
atan2 = _binary("atan2", "real floating")
bitwise_and = _binary("bitwise_and", "integral or bool")
bitwise_left_shift = _binary("bitwise_left_shift", "integral")
bitwise_or = _binary("bitwise_or", "integral or bool")
bitwise_right_shift = _binary("bitwise_right_shift", "integral")
bitwise_xor = _binary("bitwise_xor", "integral or bool")
copysign = _binary("copysign", "real floating")
divide = _binary("divide", "floating", lambda a, b: hearth.div(a, b))
equal = _binary("equal", "any", lambda a, b: hearth.eq(a, b))
floor_divide = _binary("floor_divide", "real", _floor_divide)
greater = _binary("greater", "real", lambda a, b: hearth.gt(a, b))
greater_equal = _binary("greater_equal", "real", lambda a, b: hearth.ge(a, b))
hypot = _binary("hypot", "real floating")
less = _binary("less", "real", lambda a, b: hearth.lt(a, b))
less_equal = _binary("less_equal", "real", lambda a, b: hearth.le(a, b))
logaddexp = _binary("logaddexp", "real floating")
logical_and = _binary("logical_and", "bool")
logical_or = _binary("logical_or", "bool")
logical_xor = _binary("logical_xor", "bool")
maximum = _binary("maximum", "real")
minimum = _binary("minimum", "real")
multiply = _binary("multiply", "numeric", lambda a, b: hearth.mul(a, b))
nextafter = _binary("nextafter", "real floating")
not_equal = _binary("not_equal", "any", lambda a, b: hearth.ne(a, b))
pow = _binary("pow", "numeric")
remainder = _binary("remainder", "real", _remainder)
subtract = _binary("subtract", "numeric", lambda a, b: hearth.sub(a, b))


def _bound(limit, x, lowest):
    """A limit of clip as a tensor of x's type; None when it limits nothing."""
    if limit is None:
        return None
    if not isinstance(limit, (int, float)):
        tensor = one(limit, "clip", "real")
        if result_type(x, tensor) != x.dtype:
            raise TypeError(f"clip: a limit of {name_of(tensor.dtype)} for an array of {name_of(x.dtype)}")
        return tensor.to(x.dtype)
    with_scalar(x.dtype, limit)
    if is_kind(x.dtype, "integral"):
        span = iinfo_object(x.dtype)
        if limit < span.min if lowest else limit > span.max:
            return None
    return scalar_tensor(limit, x.dtype)


def clip(x, /, min=None, max=None):
    """x with what is under `min` or over `max` (numbers or arrays that broadcast) set to the limit."""
    tensor = one(x, "clip", "real")
    if isinstance(min, (int, float)) and isinstance(max, (int, float)) and min > max:
        raise ValueError(f"clip: min {min} is over max {max}")
    low, high = _bound(min, tensor, True), _bound(max, tensor, False)
    result = tensor if low is None else hearth.maximum(tensor, low)
    result = result if high is None else hearth.minimum(result, high)
    return Array(result.clone() if result is tensor else result)
