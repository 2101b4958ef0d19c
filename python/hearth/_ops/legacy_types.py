"""torch.FloatTensor and its kin: constructors of a fixed dtype that also answer isinstance."""
from .. import _C
from .._C import Tensor
from .._function import _package as hearth

_KINDS = {
    "FloatTensor": _C.float32, "DoubleTensor": _C.float64, "HalfTensor": _C.float16, "BFloat16Tensor": _C.bfloat16,
    "LongTensor": _C.int64, "IntTensor": _C.int32, "ShortTensor": _C.int16, "CharTensor": _C.int8,
    "ByteTensor": _C.uint8, "BoolTensor": _C.bool, "ComplexFloatTensor": _C.complex64,
    "ComplexDoubleTensor": _C.complex128,
}
_NAMES = {dtype: f"torch.{name}" for name, dtype in _KINDS.items()}


class _Kind(type):
    """The type of the legacy types: tensors of their dtype are their instances."""

    def __instancecheck__(cls, value):
        return isinstance(value, Tensor) and value.dtype == cls.dtype

    def __call__(cls, *args, **kwargs):
        return _made(cls, args, kwargs)

    def __repr__(cls):
        return f"<class 'torch.{cls.__name__}'>"


def _made(cls, args, kwargs):
    device = kwargs.pop("device", None)
    if kwargs:
        raise TypeError(f"{cls.__name__}(): got an unexpected keyword argument '{next(iter(kwargs))}'")
    if device is not None and hearth.device(device).type != "cpu":
        raise RuntimeError(f"legacy constructor expects device type: cpu but device type: {device} was passed")
    if not args:
        return hearth.empty(0, dtype=cls.dtype)
    first = args[0]
    if len(args) == 1 and isinstance(first, Tensor):
        if first.dtype != cls.dtype:
            raise TypeError(f"expected {_NAMES[cls.dtype]} (got {_NAMES.get(first.dtype, first.dtype)})")
        return first.detach()
    if len(args) == 1 and not isinstance(first, (int, hearth.Size)):
        return hearth.tensor(first, dtype=cls.dtype)
    return hearth.empty(*args, dtype=cls.dtype)


def set_default_tensor_type(t):
    """The floating type of plain numbers, by a legacy type or its name."""
    name = t if isinstance(t, str) else f"torch.{getattr(t, '__name__', t)}"
    kind = _KINDS.get(name.removeprefix("torch."))
    if kind is None:
        raise TypeError(f"invalid type object: {t}")
    if not kind.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, not {name}")
    hearth.set_default_dtype(kind)


def _type(self, dtype=None, non_blocking=False, **kwargs):
    """The legacy name of this tensor's type, or the tensor converted to a dtype or legacy type."""
    if kwargs:
        raise TypeError(f"type(): got an unexpected keyword argument '{next(iter(kwargs))}'")
    if dtype is None:
        return _NAMES.get(self.dtype, f"torch.{self.dtype}")
    if isinstance(dtype, str):
        name = dtype.removeprefix("torch.")
        if name not in _KINDS:
            raise ValueError(f"invalid type: '{dtype}'")
        return self.to(_KINDS[name])
    return self.to(dtype.dtype if isinstance(dtype, _Kind) else dtype)


for _name, _dtype in _KINDS.items():
    setattr(hearth, _name, _Kind(_name, (), {"dtype": _dtype, "__module__": "torch"}))
hearth.set_default_tensor_type = set_default_tensor_type
Tensor.type = _C.python_function("type", lambda self, dtype=None, non_blocking=False: _type(self, dtype, non_blocking), False)
