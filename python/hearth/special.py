"""torch.special: the mathematical functions beyond the ordinary ones."""
import hearth
from hearth import _C
from hearth._function import function

__all__ = ["airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t",
           "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf",
           "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
           "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e", "i1", "i1e", "laguerre_polynomial_l",
           "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_i0",
           "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "multigammaln", "ndtr", "ndtri",
           "polygamma", "psi", "round", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
           "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
           "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta"]

# What the top namespace has under the same or another name.
_ALIASES = {
    "digamma": "digamma", "psi": "digamma", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "exp2": "exp2",
    "expit": "sigmoid", "expm1": "expm1", "gammainc": "igamma", "gammaincc": "igammac", "gammaln": "lgamma",
    "log1p": "log1p", "logit": "logit", "logsumexp": "logsumexp", "multigammaln": "mvlgamma", "polygamma": "polygamma",
    "round": "round", "sinc": "sinc", "xlogy": "xlogy",
}
for _name in __all__:
    if _name in _ALIASES:
        if hasattr(hearth, _ALIASES[_name]):
            globals()[_name] = getattr(hearth, _ALIASES[_name])
    elif hasattr(_C, "special_" + _name):
        globals()[_name] = getattr(_C, "special_" + _name)


def _floating(input):
    return input if input.is_floating_point() or input.is_complex() else input.to(hearth.get_default_dtype())


@function("hidden", module=globals())
def softmax(input, dim, *, dtype=None):
    """exp(x) over its sum along a dimension."""
    return hearth.softmax(input, dim, dtype=dtype)


@function("hidden", module=globals())
def log_softmax(input, dim, *, dtype=None):
    """The logarithm of softmax."""
    return hearth.log_softmax(input, dim, dtype=dtype)


@function("hidden", module=globals())
def entr(input, *, out=None):
    """-x log(x): 0 at 0, -inf below."""
    x = _floating(input)
    if x.is_complex():
        raise RuntimeError(f"entr: not implemented for {x.dtype}")
    positive = x.detach() > 0
    inside = hearth.where(positive | x.detach().isnan(), x, 1)
    return hearth.where(x.detach() < 0, -hearth.inf, hearth.where(x.detach() == 0, 0 * x, -inside * inside.log()))


@function("hidden", module=globals())
def xlog1py(input, other, *, out=None):
    """x log(1 + y), 0 where x is 0 (NaN where y is NaN)."""
    if not isinstance(input, hearth.Tensor) and not isinstance(other, hearth.Tensor):
        raise TypeError("special_xlog1py(): one of the arguments must be a Tensor")
    x, y = (v if isinstance(v, hearth.Tensor) else hearth.tensor(v) for v in (input, other))
    dtype = hearth.result_type(input, other)
    if dtype.is_complex:
        raise RuntimeError(f"xlog1py: not implemented for {dtype}")
    dtype = dtype if dtype.is_floating_point else hearth.get_default_dtype()
    x, y = x.to(dtype), y.to(dtype)
    vanishes = (x.detach() == 0) & ~y.detach().isnan()
    return x * hearth.where(vanishes, 0, y).log1p()


def _shifted(name, polynomial):
    """The polynomial of 2 x - 1."""

    def shifted(input, n, *, out=None):
        if not isinstance(input, hearth.Tensor) and not isinstance(n, hearth.Tensor):
            raise TypeError(f"special_{name}(): one of the arguments must be a Tensor")
        x = input if isinstance(input, hearth.Tensor) else hearth.tensor(float(input), dtype=_floating(n).dtype)
        return polynomial(2 * _floating(x) - 1, n)

    shifted.__name__ = name
    shifted.__doc__ = f"{name[8:]} at 2 x - 1."
    function("hidden", name=name, module=globals())(shifted)


for _name in "tuvw":
    _shifted(f"shifted_chebyshev_polynomial_{_name}", globals()[f"chebyshev_polynomial_{_name}"])
