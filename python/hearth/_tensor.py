"""What Tensor has beside ops: construction, printing, copying, NumPy, hooks."""
from . import _C
from ._C import Tensor


def _method(function):
    setattr(Tensor, function.__name__, function)
    return function


def _repr(self, *, tensor_contents=None):
    from ._tensor_str import _str

    return _str(self)


Tensor._repr = _repr


def _construct(cls, *args, **kwargs):
    """The legacy constructor: Tensor(2, 3) is empty, Tensor([1, 2]) holds float32 numbers."""
    import hearth

    if cls is not Tensor and len(args) == 1 and isinstance(args[0], Tensor):
        return args[0].as_subclass(cls)
    kwargs.pop("device", None)
    if kwargs:
        raise TypeError(f"Tensor(): got an unexpected keyword argument '{next(iter(kwargs))}'")
    if not args:
        made = hearth.empty(0)
    elif len(args) == 1 and isinstance(args[0], Tensor):
        made = args[0].detach()
    elif len(args) == 1 and isinstance(args[0], hearth.Size):
        made = hearth.empty(args[0])
    elif len(args) == 1 and not isinstance(args[0], int):
        made = hearth.tensor(args[0], dtype=hearth.get_default_dtype())
    else:
        made = hearth.empty(*args)
    return made if cls is Tensor else made.as_subclass(cls)


Tensor._construct = staticmethod(_construct)


def _make_subclass(cls, data, require_grad=False):
    """An object of `cls` on the memory of `data`, a leaf."""
    made = _C._wrap_as(cls, data.detach())
    if require_grad:
        made.requires_grad_(True)
    return made


Tensor._make_subclass = staticmethod(_make_subclass)


@_method
def as_subclass(self, cls):
    """The same tensor (history too) as an object of a subclass."""
    return _C._wrap_as(cls, self.alias())


@_method
def numpy(self, *, force=False):
    """The same memory as a NumPy array. force=True also takes what needs a copy or has gradients."""
    if force:
        return self.detach().cpu().resolve_conj().resolve_neg()._numpy()
    return self._numpy()


@_method
def __array__(self, dtype=None, copy=None):
    array = self.numpy()
    if dtype is not None:
        array = array.astype(dtype, copy=False)
    return array.copy() if copy else array


@_method
def __array_namespace__(self, *, api_version=None):
    """hearth.array_api: its functions take tensors and give its arrays."""
    import hearth

    return hearth.array_api.Array(self).__array_namespace__(api_version=api_version)


Tensor.__array_priority__ = 1000


@_method
def __deepcopy__(self, memo):
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError("deepcopy: only leaf tensors (created by the user) can be copied; use detach().clone(): "
                           "this one has history")
    made = self.detach().clone()
    if type(self) is not Tensor:
        made = _C._wrap_as(type(self), made.alias())
    made.requires_grad_(self.requires_grad)
    memo[id(self)] = made
    if self.grad is not None:
        made.grad = self.grad.__deepcopy__(memo)
    if self.__dict__:
        from copy import deepcopy

        made.__dict__.update(deepcopy(self.__dict__, memo))
    return made


@_method
def __reduce_ex__(self, protocol):
    if type(self).__reduce_ex__ is not Tensor.__reduce_ex__:
        return object.__reduce_ex__(self, protocol)
    array = self.detach().contiguous()
    raw = bytes(array.view(_C.uint8).numpy()) if array.numel() and array.dim() else array.reshape(-1).view(_C.uint8).numpy().tobytes()
    return _rebuild, (type(self), raw, self.dtype, tuple(self.shape), self.requires_grad, dict(self.__dict__))


def _rebuild(cls, raw, dtype, shape, requires_grad, attributes):
    made = _C.frombuffer(bytearray(raw), dtype=dtype).reshape(shape) if raw else _C.empty(shape, dtype=dtype)
    if cls is not Tensor:
        made = _C._wrap_as(cls, made.detach())
    made.requires_grad_(requires_grad)
    made.__dict__.update(attributes)
    return made


@_method
def __format__(self, spec):
    if self.dim() == 0:
        return format(self.item(), spec)
    return object.__format__(self, spec)


@_method
def __round__(self, digits=0):
    return self.round(decimals=digits) if digits else self.round()


@_method
def __reversed__(self):
    return self if self.dim() == 0 else self.flip(0)


@_method
def __complex__(self):
    return complex(self.item())


@_method
def __dir__(self):
    return sorted(set(dir(type(self))) | set(self.__dict__))


@_method
def __setstate__(self, state):
    self.__dict__.update(state)


@_method
def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Adds the gradient of this tensor to the `grad` of every leaf that it came from."""
    from . import autograd

    autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def _kind(name, answer):
    if not hasattr(Tensor, name):
        setattr(Tensor, name, property(answer))


# Kinds of tensors that programs ask for; all memory is dense, on the CPU or nowhere.
for _name in "sparse sparse_csr quantized mkldnn mps xpu xla ipu mtia vulkan maia nested cuda hpu".split():
    _kind("is_" + _name, lambda self: False)
_kind("is_cpu", lambda self: self.device.type == "cpu")
_kind("is_meta", lambda self: self.device.type == "meta")


def _part(read):
    """A property that reads a part of complex numbers, and writes over it."""

    def write(self, value):
        read(self).copy_(value if isinstance(value, Tensor) else _C.tensor(value))

    return property(read, write)


Tensor.real = _part(lambda self: _C.real(self) if self.dtype.is_complex else self)
Tensor.imag = _part(lambda self: _C.imag(self))
