"""__torch_function__: how subclasses of Tensor and modes take calls over."""
from . import _C
from ._C import Tensor


class DisableTorchFunctionSubclass:
    """Inside, subclasses are treated as plain tensors."""

    def __enter__(self):
        _C._disable_overrides(1)

    def __exit__(self, *_):
        _C._disable_overrides(-1)


DisableTorchFunction = DisableTorchFunctionSubclass
_modes = []


class TorchFunctionMode:
    """A block in which every op goes through `__torch_function__(self, func, types, args, kwargs)`."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        _modes.append(self)
        _C._count_modes(1)
        return self

    def __exit__(self, *_):
        _modes.remove(self)
        _C._count_modes(-1)

    @classmethod
    def push(cls, *args, **kwargs):
        """An instance, for `with`."""
        return cls(*args, **kwargs)


def _overloaded(args, kwargs):
    """Arguments that have an override, subclasses before their bases, else from left to right."""
    found = []

    def look(value, depth):
        kind = type(value)
        if kind is Tensor or kind is tuple or kind is list:
            if kind is not Tensor and depth == 0:
                for item in value:
                    look(item, 1)
            return
        hook = getattr(kind, "__torch_function__", None)
        if hook is None or hook is _disabled or any(type(other) is kind for other in found):
            return
        place = next((i for i, other in enumerate(found) if isinstance(value, type(other))), len(found))
        found.insert(place, value)

    for value in args:
        look(value, 0)
    for value in kwargs.values():
        look(value, 0)
    return found


def _dispatch(func, args, kwargs):
    if _modes:
        mode = _modes.pop()
        _C._count_modes(-1)
        try:
            types = tuple(type(a) for a in _overloaded(args, kwargs))
            return mode.__torch_function__(func, types, args, kwargs)
        finally:
            _modes.append(mode)
            _C._count_modes(1)
    candidates = _overloaded(args, kwargs)
    types = tuple(type(a) for a in candidates)
    for candidate in candidates:
        result = type(candidate).__torch_function__(func, types, args, kwargs)
        if result is not NotImplemented:
            return result
    if candidates:
        raise TypeError(f"no implementation found for '{getattr(func, '__name__', func)}' on types that implement "
                        f"__torch_function__: {[t.__name__ for t in types]}")
    with DisableTorchFunctionSubclass():
        return func(*args, **kwargs)


def _as_subclass(result, cls):
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else result.as_subclass(cls)
    if type(result) in (tuple, list):
        return type(result)(_as_subclass(r, cls) for r in result)
    return result


# Reading these gives plain values.
_NO_WRAP = {"tolist", "item", "numpy", "requires_grad_", "backward"}


def _default(cls, func, types, args=(), kwargs=None):
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
    if getattr(func, "__name__", "") in _NO_WRAP:
        return result
    return _as_subclass(result, cls)


def _disabled(func, types, args=(), kwargs=None):
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


def has_torch_function(args):
    """Whether any of the arguments has an override."""
    return bool(_modes) or bool(_overloaded(tuple(args), {}))


def has_torch_function_unary(arg):
    """The same for one argument."""
    return has_torch_function((arg,))


has_torch_function_variadic = lambda *args: has_torch_function(args)  # noqa: E731


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """Calls the override of the arguments."""
    return _dispatch(public_api, args, kwargs)


def is_tensor_like(value):
    """Whether `value` is a tensor or acts as one."""
    return type(value) is Tensor or hasattr(value, "__torch_function__")


def _install():
    Tensor.__torch_function__ = classmethod(_default)
    _C._set_dispatcher(_dispatch)
