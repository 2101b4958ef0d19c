"""Parameters and buffers: the tensors that a module registers by itself, and the kind whose shape is not known yet."""

from collections import OrderedDict

import hearth
from hearth.overrides import _disabled as _no_torch_function


class _ParameterMeta(type(hearth.Tensor)):
    """Lets a tensor of another class that carries `_is_param` count as a Parameter."""

    def __instancecheck__(self, instance):
        if type(instance) is self:
            return True
        if self is Parameter and isinstance(instance, hearth.Tensor) and getattr(instance, "_is_param", False):
            return True
        return super().__instancecheck__(instance)


class Parameter(hearth.Tensor, metaclass=_ParameterMeta):
    """A tensor that a module registers as one of its parameters when it is assigned as an attribute.

    Example: `w = Parameter(hearth.randn(3, 4))`; `w.requires_grad` is True.
    """

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = hearth.empty(0)
        if type(data) is hearth.Tensor or type(data) is Parameter:
            return hearth.Tensor._make_subclass(cls, data, requires_grad)
        # A tensor of the user's own class stays of that class and is only marked.
        t = data.detach().requires_grad_(requires_grad)
        if type(t) is not type(data):
            raise RuntimeError(
                f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns "
                f"an instance of the same type, but return type {type(t).__name__} was found instead. To use the type "
                "as a Parameter, please correct the detach() semantics defined by its __torch_dispatch__() "
                "implementation."
            )
        t._is_param = True
        return t

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        result = type(self)(self.data.clone(memory_format=hearth.preserve_format), self.requires_grad)
        memo[id(self)] = result
        return result

    _print_name = "Parameter"

    def __reduce_ex__(self, proto):
        from hearth._pickle import rebuild

        state = _object_state(self)
        args = (self.data, self.requires_grad, OrderedDict())
        if not state:
            return rebuild.rebuild_parameter, args
        return rebuild.rebuild_parameter_with_state, (*args, state)

    __torch_function__ = _no_torch_function


hearth._C._set_parameter_type(Parameter)


def _object_state(tensor):
    return dict(getattr(tensor, "__dict__", None) or {})


class UninitializedTensorMixin:
    """What parameters and buffers without a shape have in common."""

    # What may be asked of a tensor that has no shape yet, by the name of the function or the method.
    _allowed = frozenset(
        "__hash__ size copy_ is_complex is_floating_point half float double char short int long cuda cpu to get_device "
        "_has_compatible_shallow_copy_type bfloat16 type".split()
    )

    def materialize(self, shape, device=None, dtype=None):
        """Give this tensor its shape, in place; the values are whatever memory holds."""
        device = self.data.device if device is None else device
        dtype = self.data.dtype if dtype is None else dtype
        self.data = hearth.empty(shape, device=device, dtype=dtype)
        self.__class__ = self.cls_to_become

    @property
    def shape(self):
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def share_memory_(self):
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def __repr__(self):
        return f"<{self.__class__.__name__}>"

    def __reduce_ex__(self, proto):
        return (self.__class__, (self.requires_grad,))

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        # A property arrives as the wrapper that reads it.
        if getattr(func, "__name__", "") in cls._allowed or type(func).__name__ == "method-wrapper":
            return super().__torch_function__(func, types, args, kwargs or {})
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {func}. This error happens when you are using a "
            "`LazyModule` or explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. When using "
            "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling torch functions"
        )


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is found at the first forward; `materialize(shape)` turns it into a Parameter."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        data = hearth.empty(0, device=device, dtype=dtype)
        with hearth.overrides.DisableTorchFunctionSubclass():
            return hearth.Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        result = type(self)(self.requires_grad, self.data.device, self.data.dtype)
        memo[id(self)] = result
        return result


class _BufferMeta(type(hearth.Tensor)):
    """Lets a tensor that carries `_is_buffer` count as a Buffer."""

    def __instancecheck__(self, instance):
        if self is Buffer and isinstance(instance, hearth.Tensor) and getattr(instance, "_is_buffer", False):
            return True
        return super().__instancecheck__(instance)


class Buffer(hearth.Tensor, metaclass=_BufferMeta):
    """A tensor that a module registers as a buffer when it is assigned as an attribute."""

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = hearth.empty(0)
        t = data.detach().requires_grad_(data.requires_grad)
        t.persistent = persistent
        t._is_buffer = True
        return t

    __torch_function__ = _no_torch_function


class UninitializedBuffer(UninitializedTensorMixin, hearth.Tensor):
    """A buffer whose shape is found at the first forward."""

    cls_to_become = hearth.Tensor

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        data = hearth.empty(0, device=device, dtype=dtype)
        with hearth.overrides.DisableTorchFunctionSubclass():
            result = hearth.Tensor._make_subclass(cls, data, requires_grad)
        result.persistent = persistent
        result._is_buffer = True
        return result


def is_lazy(param) -> bool:
    """Whether `param` still waits for its shape."""
    return isinstance(param, UninitializedTensorMixin)
