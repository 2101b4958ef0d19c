"""torch.jit without a compiler: functions and modules stay as they are, which is said once; files of its own are refused."""
import contextlib

import hearth

from .._names import missing
from .._once import not_here, say_once

_TEXT = "torch.jit: hearth runs operations eagerly; functions and modules are used as they are (same results)"
Final = __import__("typing").Final


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """The function, class or module itself; warns once."""
    say_once("jit", _TEXT)
    return obj


def trace(func, example_inputs=None, optimize=None, check_trace=True, **settings):
    """The function or module itself, run once with the example to see that it works; warns once."""
    say_once("jit", _TEXT)
    if example_inputs is not None:
        arguments = example_inputs if isinstance(example_inputs, (tuple, list)) else (example_inputs,)
        with hearth.no_grad():
            func(*arguments)
    return func


def trace_module(mod, inputs, **settings):
    """The module itself; warns once."""
    say_once("jit", _TEXT)
    return mod


def freeze(mod, preserved_attrs=None, optimize_numerics=True, preserve_parameters=False):
    """The module itself, which must be in eval mode."""
    if mod.training:
        raise RuntimeError("Freezing is currently only implemented for modules in eval mode.")
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The module itself."""
    return mod


def is_scripting() -> bool:
    """False, always."""
    return False


is_tracing = is_scripting


def _same(item=None, *arguments, **settings):
    """A decorator for scripted code: leaves the function or class as it is."""
    return item if callable(item) else _same


export = unused = interface = script_if_tracing = script_method = _same


def ignore(drop=False, **settings):
    """A decorator, with or without arguments, that leaves the function as it is."""
    return drop if callable(drop) else _same


def annotate(the_type, the_value):
    """The value."""
    return the_value


def isinstance(obj, target_type):  # noqa: A001 - PyTorch's name
    """Whether an object is of a type, generic ones such as List[int] included."""
    import builtins
    import typing

    origin, inside = typing.get_origin(target_type), typing.get_args(target_type)
    if builtins.isinstance(target_type, (tuple, list)) or origin is typing.Union:
        return any(isinstance(obj, each) for each in (inside or target_type))
    if origin is None:
        return builtins.isinstance(obj, target_type or type(None))
    if not builtins.isinstance(obj, origin):
        return False
    if origin is dict:
        return all(isinstance(k, inside[0]) and isinstance(v, inside[1]) for k, v in obj.items())
    if origin is tuple and not (len(inside) == 2 and inside[1] is Ellipsis):
        return len(obj) == len(inside) and all(map(isinstance, obj, inside))
    return all(isinstance(item, inside[0]) for item in obj)


class ScriptModule(hearth.nn.Module):
    """A module; nothing is scripted."""


class ScriptFunction:
    """The class of scripted functions, of which there are none."""


class Attribute:
    """A value with a type, for scripted modules."""

    def __init__(self, value, type):
        self.value, self.type = value, type


RecursiveScriptModule = TopLevelTracedModule = TracedModule = ScriptModule


def fork(func, *args, **kwargs):
    """Runs the function at once; `wait` gives its result."""
    future = hearth.futures.Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future):
    """The result of fork."""
    return future.wait()


@contextlib.contextmanager
def optimized_execution(should_optimize):
    """A block in which scripted functions are optimized or not: there are none."""
    yield


fuser = optimized_execution


def set_fusion_strategy(strategy):
    """Settings for scripted functions, of which there are none."""
    return strategy


def save(m, f, _extra_files=None):
    """Raises NotImplementedError: there is no scripted form to write."""
    not_here("torch.jit.save", "save a state dict (torch.save(model.state_dict(), path)) or the module")


def load(f, map_location=None, _extra_files=None, _restore_shapes=False):
    """Raises NotImplementedError: TorchScript archives hold programs that hearth does not run."""
    not_here("torch.jit.load", "load a state dict into the module's class instead")


def __getattr__(name):
    raise missing("torch.jit", name, globals())
