"""no_grad, enable_grad, set_grad_enabled, inference_mode: as context managers and as decorators."""
import sys

from . import _C


class _Mode:
    """A block, or a function, that runs under a grad mode."""

    _enabled = False

    def __enter__(self):
        self._before = _C.is_grad_enabled()
        _C._set_grad_enabled(self._enabled)

    def __exit__(self, *_):
        _C._set_grad_enabled(self._before)

    def _clone(self):
        return type(self)()

    def __call__(self, function):
        from functools import wraps

        if isinstance(function, type):
            raise TypeError(f"{type(self).__name__}: decorate functions, not classes: got {function.__name__}")
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & 0x20:  # a generator runs under the mode between its yields only
            @wraps(function)
            def generator(*args, **kwargs):
                source = function(*args, **kwargs)
                sent = None
                while True:
                    with self._clone():
                        try:
                            item = source.send(sent)
                        except StopIteration as stop:
                            return stop.value
                    try:
                        sent = yield item
                    except GeneratorExit:
                        source.close()
                        raise

            return generator

        @wraps(function)
        def wrapped(*args, **kwargs):
            with self._clone():
                return function(*args, **kwargs)

        return wrapped


def _decorator_or_block(cls):
    """Lets the class be used as `@cls` too, without brackets."""
    def new(kind, function=None):
        self = object.__new__(kind)
        if function is not None and callable(function):
            return _Mode.__call__(self, function)
        return self

    cls.__new__ = staticmethod(new)
    return cls


@_decorator_or_block
class no_grad(_Mode):
    """Ops inside record nothing. Example: with no_grad(): y = model(x)"""

    _enabled = False


@_decorator_or_block
class enable_grad(_Mode):
    """Ops inside record, even within no_grad."""

    _enabled = True


class set_grad_enabled(_Mode):
    """Sets the mode at once, and puts it back when used as a block."""

    def __init__(self, mode):
        self._before = _C.is_grad_enabled()
        self._enabled = bool(mode)
        _C._set_grad_enabled(self._enabled)

    def __enter__(self):
        pass

    def _clone(self):
        return set_grad_enabled(self._enabled)

    def __call__(self, function):
        _C._set_grad_enabled(self._before)  # as a decorator it acts on the function only
        return super().__call__(function)

    def __repr__(self):
        return f"set_grad_enabled(mode={self._enabled})"


_inference = 0


class inference_mode(_Mode):
    """As no_grad; tensors made inside are ordinary tensors here."""

    def __new__(cls, mode=True):
        if callable(mode) and not isinstance(mode, bool):
            return cls()(mode)
        return object.__new__(cls)

    def __init__(self, mode=True):
        self.mode = mode

    def __enter__(self):
        global _inference
        self._before = _C.is_grad_enabled(), _inference
        if self.mode:
            _inference += 1
            _C._set_grad_enabled(False)
        else:
            _inference = 0
            _C._set_grad_enabled(True)

    def __exit__(self, *_):
        global _inference
        before, _inference = self._before
        _C._set_grad_enabled(before)

    def _clone(self):
        return inference_mode(self.mode)


def is_inference_mode_enabled():
    """Whether the innermost of inference_mode's blocks is on."""
    return _inference > 0


_package = sys.modules[__package__]
