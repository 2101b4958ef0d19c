"""torch.library: operators of a program's own, as plain Python functions with a name in torch.ops."""
import hearth

from ._names import missing
from ._once import not_here

_operators = {}  # "namespace::name" -> CustomOperator


class CustomOperator:
    """A function that is known as torch.ops.namespace.name, with a gradient when register_autograd gave one."""

    def __init__(self, name, function):
        self._name, self._function = name, function
        self._backward = self._setup = None
        self.__doc__, self.__name__ = function.__doc__, name.split("::")[1]

    def __call__(self, *args, **kwargs):
        if self._backward is None or not any(isinstance(a, hearth.Tensor) and a.requires_grad for a in args):
            return self._function(*args, **kwargs)
        if kwargs:
            raise TypeError(f"{self._name}: arguments by position are needed where gradients are recorded")
        function, setup, backward = self._function, self._setup, self._backward

        class Recorded(hearth.autograd.Function):
            @staticmethod
            def forward(ctx, *inputs):
                output = function(*inputs)
                if setup is not None:
                    setup(ctx, inputs, output)
                return output

            @staticmethod
            def backward(ctx, *gradients):
                return backward(ctx, *gradients)

        return Recorded.apply(*args)

    def register_autograd(self, backward, *, setup_context=None):
        """The gradient: `backward(ctx, *gradients)`, after `setup_context(ctx, inputs, output)`."""
        self._backward, self._setup = backward, setup_context

    def register_fake(self, function=None):
        """What gives the output's shape to compilers; kept for nobody."""
        return function if function is not None else lambda fake: fake

    register_vmap = register_kernel = register_fake


def _check(name):
    if name.count("::") != 1:
        raise ValueError(f"custom_op: a name as in namespace::name is wanted, not {name!r}")
    return name


def custom_op(name, fn=None, /, *, mutates_args=(), device_types=None, schema=None, tags=None):
    """Makes a function known as torch.ops.namespace.name. Example: `@custom_op("mine::twice", mutates_args=())`."""
    if fn is None:
        return lambda function: custom_op(name, function, mutates_args=mutates_args)
    _operators[_check(name)] = made = CustomOperator(name, fn)
    return made


triton_op = custom_op


def register_autograd(op, backward, /, *, setup_context=None, lib=None):
    """As CustomOperator.register_autograd, by name or operator."""
    (op if isinstance(op, CustomOperator) else _operators[_check(op)]).register_autograd(
        backward, setup_context=setup_context)


def register_fake(op, func=None, /, *, lib=None, _stacklevel=1):
    """What gives the output's shape to compilers; hearth has none."""
    return func if func is not None else lambda fake: fake


impl_abstract = register_fake


def opcheck(op, args, kwargs=None, **settings):
    """Runs the operator once."""
    op(*args, **(kwargs or {}))
    return {"test_schema": "SUCCESS"}


class Library:
    """A dispatcher's library: refused; use custom_op."""

    def __init__(self, *arguments, **settings):
        not_here("torch.library.Library", "use torch.library.custom_op")


def define(*arguments, **settings):
    """Raises NotImplementedError: use custom_op."""
    not_here("torch.library.define", "use torch.library.custom_op")


impl = register_kernel = define


def __getattr__(name):
    raise missing("torch.library", name, globals())
