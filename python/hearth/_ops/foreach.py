"""torch._foreach_*: one op over lists of tensors; a loop, since every op here is cheap to call."""
from .._C import Tensor
from .._function import _package as hearth

_UNARY = ("abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg reciprocal "
          "round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc").split()
_BINARY = "add sub mul div pow maximum minimum clamp_min clamp_max".split()
_POINTWISE = "addcdiv addcmul".split()


def _checked(name, tensors):
    tensors = list(tensors)
    if not tensors:
        raise RuntimeError(f"{name}: Tensor list must have at least one tensor.")
    return tensors


def _operands(name, tensors, other):
    """One operand for each tensor: from a list of tensors or numbers, one tensor, or one number."""
    if isinstance(other, (list, tuple)):
        if len(other) != len(tensors):
            raise RuntimeError(f"{name}: Tensor lists must have the same number of tensors, got {len(tensors)} and "
                               f"{len(other)}")
        return other
    if isinstance(other, Tensor) and other.dim() != 0:
        raise RuntimeError(f"{name}: scalar tensor expected to be 0 dim but it has {other.dim()} dimensions")
    return [other] * len(tensors)


def _def(name, body, written):
    """_foreach_NAME from body(list, ...) -> list, and _foreach_NAME_ by writing the results."""
    full = f"_foreach_{name}"

    def run(self, *args, **kwargs):
        return tuple(body(full, _checked(full, self), *args, **kwargs))

    def run_(self, *args, **kwargs):
        tensors = _checked(full + "_", self)
        written(full + "_", tensors, *args, **kwargs)
        return self

    for function, known in ((run, full), (run_, full + "_")):
        function.__name__ = function.__qualname__ = known
        setattr(hearth, known, function)


def _unary(name):
    op, op_ = getattr(hearth, name), getattr(Tensor, name + "_")

    def written(full, self):
        for x in self:
            op_(x)

    _def(name, lambda full, self: [op(x) for x in self], written)


# The methods that serve where one operand is a number.
_METHODS = {"maximum": "clamp_min", "minimum": "clamp_max"}


def _binary_op(name, x, y, extra):
    if name in _METHODS or name in ("clamp_min", "clamp_max"):
        return getattr(hearth, _METHODS.get(name, name))(x, min=y) if name in ("maximum", "clamp_min") \
            else getattr(hearth, _METHODS.get(name, name))(x, max=y)
    return getattr(hearth, name)(x, y, **extra)


def _binary(name):
    def results(full, self, other=None, *, alpha=None, scalars=None, scalar=None, exponent=None):
        other = next(v for v in (other, scalars, scalar, exponent) if v is not None)
        extra = {} if alpha is None else {"alpha": alpha}
        return [_binary_op(name, x, y, extra) for x, y in zip(self, _operands(full, self, other))]

    def base_first(full, self, exponent):
        # _foreach_pow(number, list)
        return [hearth.pow(self, x) for x in exponent]

    def written(full, self, *args, **kwargs):
        for x, y in zip(self, results(full, self, *args, **kwargs)):
            if not hearth.can_cast(y.dtype, x.dtype):
                raise RuntimeError(f"{full}: result type {y.dtype} can't be cast to the desired output type {x.dtype}")
            x.copy_(y)

    _def(name, results, written)
    if name == "pow":
        lists = hearth._foreach_pow

        def run(self, exponent):
            return tuple(base_first("_foreach_pow", self, exponent)) if isinstance(self, (int, float, complex)) \
                else lists(self, exponent)

        run.__name__ = "_foreach_pow"
        hearth._foreach_pow = run


def _pointwise(name):
    op = getattr(hearth, name)

    def results(full, self, tensors1, tensors2, value=1, *, scalars=None):
        values = value if scalars is None else scalars
        if isinstance(values, Tensor) and values.dim() == 1:
            values = values.tolist()
        values = values if isinstance(values, (list, tuple)) else [values] * len(self)
        if not len(self) == len(tensors1) == len(tensors2) == len(values):
            raise RuntimeError(f"{full}: Tensor lists must have the same number of tensors, got {len(self)}, "
                               f"{len(tensors1)}, {len(tensors2)} and {len(values)}")
        return [op(x, a, b, value=v) for x, a, b, v in zip(self, tensors1, tensors2, values)]

    def written(full, self, *args, **kwargs):
        for x, y in zip(self, results(full, self, *args, **kwargs)):
            x.copy_(y)

    _def(name, results, written)


def _lerp(full, self, tensors1, weight=None, *, scalars=None):
    weights = _operands(full, self, weight if scalars is None else scalars)
    return [hearth.lerp(x, y, w) for x, y, w in zip(self, _operands(full, self, tensors1), weights)]


def _lerp_(full, self, *args, **kwargs):
    for x, y in zip(self, _lerp(full, self, *args, **kwargs)):
        x.copy_(y)


def _foreach_norm(self, ord=2, dtype=None):
    """The vector norm of each tensor."""
    return tuple(hearth.linalg.vector_norm(x, ord, dtype=dtype) for x in _checked("_foreach_norm", self))


def _foreach_max(self):
    """The largest element of each tensor."""
    return tuple(x.max() for x in _checked("_foreach_max", self))


def _foreach_clone(self):
    """A copy of each tensor."""
    return tuple(x.clone() for x in _checked("_foreach_clone", self))


def _foreach_copy_(self, src, non_blocking=False):
    """Writes each tensor of src over its partner."""
    tensors = _checked("_foreach_copy_", self)
    for x, y in zip(tensors, _operands("_foreach_copy_", tensors, src)):
        x.copy_(y)
    return self


def _foreach_copy(self, src, non_blocking=False):
    """Copies of src in the dtypes of self."""
    tensors = _checked("_foreach_copy", self)
    return tuple(x.clone().copy_(y) for x, y in zip(tensors, _operands("_foreach_copy", tensors, src)))


def _foreach_zero_(self):
    """Writes zeros."""
    for x in _checked("_foreach_zero_", self):
        x.zero_()
    return self


def _foreach_zero(self):
    """Zeros like each tensor."""
    return tuple(hearth.zeros_like(x) for x in _checked("_foreach_zero", self))


def _install():
    for name in _UNARY:
        _unary(name)
    for name in _BINARY:
        _binary(name)
    for name in _POINTWISE:
        _pointwise(name)
    _def("lerp", _lerp, _lerp_)
    for made in (_foreach_norm, _foreach_max, _foreach_clone, _foreach_copy_, _foreach_copy, _foreach_zero_,
                 _foreach_zero):
        setattr(hearth, made.__name__, made)


_install()
