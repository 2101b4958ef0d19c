"""Data types of the standard: kinds, promotion, casts, limits."""

import hearth

Dtype = hearth.dtype
KINDS = {
    "bool": (hearth.bool,),
    "signed integer": (hearth.int8, hearth.int16, hearth.int32, hearth.int64),
    "unsigned integer": (hearth.uint8, hearth.uint16, hearth.uint32, hearth.uint64),
    "real floating": (hearth.float32, hearth.float64),
    "complex floating": (hearth.complex64, hearth.complex128),
}
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["floating"] = KINDS["real floating"] + KINDS["complex floating"]
KINDS["real"] = KINDS["integral"] + KINDS["real floating"]
KINDS["numeric"] = KINDS["integral"] + KINDS["floating"]
KINDS["integral or bool"] = KINDS["integral"] + KINDS["bool"]
KINDS["any"] = KINDS["numeric"] + KINDS["bool"]
ALL = KINDS["any"]
_PUBLIC_KINDS = (
    "bool",
    "signed integer",
    "unsigned integer",
    "integral",
    "real floating",
    "complex floating",
    "numeric",
)


def name_of(dtype) -> str:
    """The standard's name of a data type: float32."""
    return str(dtype).rpartition(".")[2]


def is_kind(dtype, kind: str) -> bool:
    """Whether `dtype` is of a kind; "floating", "real", "integral or bool" and "any" beside the standard's kinds."""
    return dtype in KINDS[kind]


def real_of(dtype):
    """The type of the parts of a complex type; any other type itself."""
    return {hearth.complex64: hearth.float32, hearth.complex128: hearth.float64}.get(dtype, dtype)


def complex_of(dtype):
    """The complex type whose parts have this real floating type."""
    return {hearth.float32: hearth.complex64, hearth.float64: hearth.complex128}.get(dtype, dtype)


def default_complex():
    return complex_of(hearth.get_default_dtype())


def _rank(dtype):
    return KINDS[_kind(dtype)].index(dtype)


def _kind(dtype):
    for kind in ("bool", "signed integer", "unsigned integer", "real floating", "complex floating"):
        if dtype in KINDS[kind]:
            return kind
    raise TypeError(f"{dtype} is not a data type of the array API")


def promote(a, b):
    """The type that two arrays of these types give. Raises TypeError where the standard names none."""
    if a == b:
        return a
    kind_a, kind_b = _kind(a), _kind(b)
    if kind_a == kind_b:
        return a if _rank(a) > _rank(b) else b
    if {kind_a, kind_b} == {"real floating", "complex floating"}:
        wide = max(_rank(a), _rank(b))
        return KINDS["complex floating"][wide]
    if {kind_a, kind_b} == {"signed integer", "unsigned integer"}:
        signed, unsigned = (a, b) if kind_a == "signed integer" else (b, a)
        wide = max(_rank(signed), _rank(unsigned) + 1)
        if wide < 4:
            return KINDS["signed integer"][wide]
    raise TypeError(
        f"result_type: the array API has no promotion of {name_of(a)} and {name_of(b)}; convert with astype"
    )


def with_scalar(dtype, scalar):
    """The type of an array of `dtype` combined with a Python number. Raises TypeError where the kinds do not go."""
    kind = _kind(dtype)
    if isinstance(scalar, bool):
        fits = kind == "bool"
    elif isinstance(scalar, int):
        fits = kind != "bool"
    elif isinstance(scalar, float):
        fits = kind in ("real floating", "complex floating")
    elif isinstance(scalar, complex):
        fits = kind in ("real floating", "complex floating")
        dtype = complex_of(dtype)
    else:
        raise TypeError(f"expected an array or a Python number: got {type(scalar).__name__}")
    if not fits:
        raise TypeError(f"a Python {type(scalar).__name__} cannot be combined with an array of {name_of(dtype)}")
    return dtype


def _dtype_of(value):
    if isinstance(value, Dtype):
        return value
    dtype = getattr(value, "dtype", None)
    return dtype if isinstance(dtype, Dtype) else None


def result_type(*arrays_and_dtypes):
    """The data type that these arrays, data types and Python numbers (at least one is no number) promote to."""
    dtypes = [_dtype_of(value) for value in arrays_and_dtypes]
    known = [dtype for dtype in dtypes if dtype is not None]
    if not known:
        raise ValueError("result_type: at least one array or data type is needed")
    result = known[0]
    _kind(result)
    for dtype in known[1:]:
        result = promote(result, dtype)
    for value, dtype in zip(arrays_and_dtypes, dtypes):
        if dtype is None:
            result = with_scalar(result, value)
    return result


def can_cast(from_, to, /) -> bool:
    """Whether promotion alone turns `from_` (an array or a data type) into `to`."""
    dtype = _dtype_of(from_)
    if dtype is None or not isinstance(to, Dtype):
        raise TypeError("can_cast: expected an array or a data type, and a data type")
    try:
        return promote(dtype, to) == to
    except TypeError:
        return False


def isdtype(dtype, kind) -> bool:
    """Whether `dtype` is `kind`: a data type, one of the standard's kinds by name, or a tuple of these."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str):
        if kind not in _PUBLIC_KINDS:
            raise ValueError(f"isdtype: unknown kind {kind!r}; known: {', '.join(_PUBLIC_KINDS)}")
        return dtype in KINDS[kind]
    if isinstance(kind, Dtype):
        return dtype == kind
    raise TypeError(f"isdtype: kind is a data type, a string or a tuple: got {type(kind).__name__}")


class finfo_object:
    """Limits of a floating type; `dtype` is that of the real parts."""

    __slots__ = ("bits", "eps", "max", "min", "smallest_normal", "dtype")

    def __init__(self, dtype):
        digits, exponent = {hearth.float32: (24, 128), hearth.float64: (53, 1024)}[dtype]
        self.bits = 32 if dtype == hearth.float32 else 64
        self.eps = 2.0 ** (1 - digits)
        self.max = (2.0 - self.eps) * 2.0 ** (exponent - 1)
        self.min = -self.max
        self.smallest_normal = 2.0 ** (2 - exponent)
        self.dtype = dtype

    def __repr__(self):
        return f"finfo(bits={self.bits}, eps={self.eps}, max={self.max}, dtype={name_of(self.dtype)})"


class iinfo_object:
    """Limits of an integer type."""

    __slots__ = ("bits", "max", "min", "dtype")

    def __init__(self, dtype):
        signed = dtype in KINDS["signed integer"]
        self.bits = 8 << _rank(dtype)
        self.max = 2 ** (self.bits - signed) - 1
        self.min = -self.max - 1 if signed else 0
        self.dtype = dtype

    def __repr__(self):
        return f"iinfo(bits={self.bits}, min={self.min}, max={self.max}, dtype={name_of(self.dtype)})"


def finfo(type, /):
    """Limits of the floating type `type` (a data type or an array): bits, eps, max, min, smallest_normal, dtype."""
    dtype = _dtype_of(type)
    if dtype not in KINDS["floating"]:
        raise ValueError(f"finfo: a floating type is needed: got {type}")
    return finfo_object(real_of(dtype))


def iinfo(type, /):
    """Limits of the integer type `type` (a data type or an array): bits, max, min, dtype."""
    dtype = _dtype_of(type)
    if dtype not in KINDS["integral"]:
        raise ValueError(f"iinfo: an integer type is needed: got {type}")
    return iinfo_object(dtype)
