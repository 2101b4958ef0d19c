"""What dtypes can hold: finfo, iinfo."""
from .. import _C
from .._function import _package as hearth

# bits, eps, max, smallest normal, resolution
_FLOATS = {
    _C.float16: (16, 2.0**-10, 65504.0, 2.0**-14, 1e-3),
    _C.bfloat16: (16, 2.0**-7, 2.0**127 * (2 - 2.0**-7), 2.0**-126, 1e-2),
    _C.float32: (32, 2.0**-23, 2.0**127 * (2 - 2.0**-23), 2.0**-126, 1e-6),
    _C.float64: (64, 2.0**-52, 2.0**1023 * (2 - 2.0**-52), 2.0**-1022, 1e-15),
}


class finfo:
    """Limits of a floating type (of its real type, for a complex one): finfo(torch.float32).max."""

    def __init__(self, type=None):
        dtype = hearth.get_default_dtype() if type is None else type
        if not isinstance(dtype, _C.dtype):
            raise TypeError(f"finfo(): argument 'type' (position 1) must be torch.dtype, not {dtype.__class__.__name__}")
        if dtype.is_complex:
            dtype = dtype.to_real()
        if dtype not in _FLOATS:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{dtype}'")
        self.bits, self.eps, self.max, self.tiny, self.resolution = _FLOATS[dtype]
        self.min, self.smallest_normal = -self.max, self.tiny
        self.dtype = str(dtype).split(".")[1]

    def __repr__(self):
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")

    def __eq__(self, other):
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(self.dtype)


class iinfo:
    """Limits of an integer type: iinfo(torch.int8).max."""

    def __init__(self, type):
        if not isinstance(type, _C.dtype):
            raise TypeError(f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {type.__class__.__name__}")
        if type.is_floating_point or type.is_complex or type == _C.bool:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type}'"
                            if type != _C.bool else "torch.bool is not supported by torch.iinfo")
        self.bits = 8 * type.itemsize
        self.max = 2 ** (self.bits - (1 if type.is_signed else 0)) - 1
        self.min = -self.max - 1 if type.is_signed else 0
        self.dtype = str(type).split(".")[1]

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"

    def __eq__(self, other):
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self):
        return hash(self.dtype)


hearth.finfo, hearth.iinfo = finfo, iinfo
