"""torch.compile and torch.compiler: hearth runs every program eagerly, and says so the first time it is asked to compile."""
from ._names import missing
from ._once import say_once

_TEXT = ("torch.compile: hearth runs operations eagerly and has no compiler; the function or module is used as it is "
         "(same results)")


def compile(model=None, *, fullgraph=False, dynamic=None, backend="inductor", mode=None, options=None, disable=False):
    """The function or module itself; also as a decorator, with or without arguments. Warns once.

    Example: `step = torch.compile(step)`, or `@torch.compile` above a function.
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if model is None:
        return lambda function: compile(function, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode,
                                        options=options, disable=disable)
    if not callable(model):
        raise RuntimeError(f"compile: a function or a module is wanted, not {type(model).__name__}")
    if not disable:
        say_once("compile", _TEXT)
    return model


def is_compiling() -> bool:
    """False: nothing is ever being compiled."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, which is never compiled; also as a decorator with arguments."""
    return fn if fn is not None else lambda function: function


def allow_in_graph(fn):
    """The function itself: there is no graph."""
    return fn


assume_constant_result = substitute_in_graph = allow_in_graph


def reset() -> None:
    """Forgets what was compiled, which is nothing."""


def cudagraph_mark_step_begin() -> None:
    """Marks a step for CUDA graphs, of which there are none."""


def list_backends(exclude_tags=()) -> list:
    """The compilers that are there: none."""
    return []


class set_stance:
    """A context for how compiled functions run; all stances mean eager here."""

    def __init__(self, stance="default", *, skip_guard_eval_unsafe=False, force_backend=None):
        if stance not in ("default", "force_eager", "eager_on_recompile", "fail_on_recompile", "aot_eager_then_compile",
                          "eager_then_compile"):
            raise RuntimeError(f"invalid torch.compile stance {stance!r}")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None


def __getattr__(name):
    raise missing("torch.compiler", name, globals())
