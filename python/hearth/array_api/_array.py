"""Array: a tensor that speaks the array API's protocol: its promotion of types, its operators, nothing beside."""

import hearth

from . import _indexing
from ._dtypes import KINDS, name_of, result_type, with_scalar


class Array:
    """An array of the standard, over a hearth.Tensor in `tensor` (same memory, same history of gradients)."""

    __slots__ = ("tensor", "__weakref__")

    def __init__(self, tensor):
        if not isinstance(tensor, hearth.Tensor):
            raise TypeError("Array: made from a Tensor; use asarray for other objects")
        self.tensor = tensor

    dtype = property(lambda self: self.tensor.dtype)
    device = property(lambda self: self.tensor.device)
    shape = property(lambda self: tuple(self.tensor.shape))
    ndim = property(lambda self: self.tensor.dim())
    size = property(lambda self: self.tensor.numel())

    @property
    def T(self):
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ValueError(f"T: the array must have 2 axes (mT or permute_dims for others): it has {self.ndim}")
        return Array(self.tensor.transpose(0, 1))

    @property
    def mT(self):
        """The matrices of the last two axes, each transposed."""
        if self.ndim < 2:
            raise ValueError(f"mT: the array must have 2 axes or more: it has {self.ndim}")
        return Array(self.tensor.transpose(-2, -1))

    def __repr__(self):
        return f"Array({self.tensor.tolist()}, dtype={name_of(self.dtype)})"

    def __array_namespace__(self, /, *, api_version=None):
        from hearth import array_api

        if api_version is not None and api_version not in array_api.VERSIONS:
            raise ValueError(f"__array_namespace__: api_version {api_version!r} is not among {array_api.VERSIONS}")
        return array_api

    def __array__(self, dtype=None, copy=None):
        return self.tensor.detach().__array__(dtype=dtype, copy=copy)

    def __getitem__(self, key, /):
        return Array(_indexing.get(self.tensor, key))

    def __setitem__(self, key, value, /):
        target = self.tensor
        if isinstance(value, (bool, int, float, complex)):
            if with_scalar(self.dtype, value) != self.dtype:
                raise TypeError(f"__setitem__: {value!r} does not fit into an array of {name_of(self.dtype)}")
            value = scalar_tensor(value, self.dtype)
        else:
            value = tensor_of(value, "__setitem__")
            if result_type(target, value) != self.dtype:
                raise TypeError(f"__setitem__: {name_of(value.dtype)} does not go into {name_of(self.dtype)}")
            value = value.to(self.dtype)
        _indexing.put(target, key, value)

    def _item(self, what, kinds):
        if self.ndim:
            raise TypeError(f"{what}: only an array of no axes has one value: it has shape {self.shape}")
        if not any(self.dtype in KINDS[kind] for kind in kinds):
            raise TypeError(f"{what}: not for arrays of {name_of(self.dtype)}")
        return self.tensor.item()

    def __bool__(self, /):
        return bool(self._item("__bool__", ("any",)))

    def __int__(self, /):
        return int(self._item("__int__", ("real", "bool")))

    def __index__(self, /):
        return self._item("__index__", ("integral",))

    def __float__(self, /):
        return float(self._item("__float__", ("real", "bool")))

    def __complex__(self, /):
        return complex(self._item("__complex__", ("any",)))

    def __dlpack__(self, /, *, stream=None, max_version=None, dl_device=None, copy=None):
        return self.tensor.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self, /):
        return self.tensor.__dlpack_device__()

    def to_device(self, device, /, *, stream=None):
        """The array on another device; itself when it is there already."""
        if stream is not None:
            raise ValueError("to_device: streams are not supported: stream must be None")
        moved = self.tensor.to(device=device)
        return self if moved is self.tensor else Array(moved)


def tensor_of(value, op: str):
    """The tensor of an Array or a Tensor. Raises TypeError naming the op."""
    if isinstance(value, Array):
        return value.tensor
    if isinstance(value, hearth.Tensor):
        return value
    raise TypeError(f"{op}: expected an array: got {type(value).__name__}")


def scalar_tensor(value, dtype):
    """A Python number as a tensor without axes. Raises OverflowError for an integer that does not fit."""
    if dtype in KINDS["integral"]:
        from ._dtypes import iinfo_object

        limits = iinfo_object(dtype)
        if not limits.min <= value <= limits.max:
            raise OverflowError(f"{value} does not fit into {name_of(dtype)}")
    return hearth.tensor(value, dtype=dtype)


def _install():
    """Puts the operators into Array; each is the namespace's function of that name."""
    from . import _elementwise as f
    from ._matrix import matmul

    unary = {"abs": f.abs, "invert": f.bitwise_invert, "neg": f.negative, "pos": f.positive}
    binary = {
        "add": f.add,
        "sub": f.subtract,
        "mul": f.multiply,
        "truediv": f.divide,
        "floordiv": f.floor_divide,
        "mod": f.remainder,
        "pow": f.pow,
        "matmul": matmul,
        "and": f.bitwise_and,
        "or": f.bitwise_or,
        "xor": f.bitwise_xor,
        "lshift": f.bitwise_left_shift,
        "rshift": f.bitwise_right_shift,
    }
    compare = {
        "eq": f.equal,
        "ne": f.not_equal,
        "lt": f.less,
        "le": f.less_equal,
        "gt": f.greater,
        "ge": f.greater_equal,
    }
    for name, function in unary.items():
        _set(f"__{name}__", _unary_operator(function))
    for name, function in {**binary, **compare}.items():
        _set(f"__{name}__", _binary_operator(function, scalars=name != "matmul"))
    for name, function in binary.items():
        _set(f"__r{name}__", _reflected_operator(function, scalars=name != "matmul"))
        _set(f"__i{name}__", _inplace_operator(function, f"__i{name}__", scalars=name != "matmul"))


def _set(name, function):
    function.__name__ = function.__qualname__ = name
    setattr(Array, name, function)


def _acceptable(other, scalars):
    return isinstance(other, (Array, hearth.Tensor)) or (scalars and isinstance(other, (bool, int, float, complex)))


def _unary_operator(function):
    def operator(self, /):
        return function(self)

    return operator


def _binary_operator(function, scalars):
    def operator(self, other, /):
        return function(self, other) if _acceptable(other, scalars) else NotImplemented

    return operator


def _reflected_operator(function, scalars):
    def operator(self, other, /):
        return function(other, self) if _acceptable(other, scalars) else NotImplemented

    return operator


def _inplace_operator(function, name, scalars):
    def operator(self, other, /):
        if not _acceptable(other, scalars):
            return NotImplemented
        value = function(self, other)
        if value.dtype != self.dtype or value.shape != self.shape:
            raise TypeError(
                f"{name}: a result of shape {value.shape}, {name_of(value.dtype)} does not go into an array of "
                f"shape {self.shape}, {name_of(self.dtype)}"
            )
        self.tensor.copy_(value.tensor)
        return self

    return operator
