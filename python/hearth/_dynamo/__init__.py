"""torch._dynamo: the settings and switches that programs touch; nothing is compiled, so they change nothing."""
from ..compiler import allow_in_graph, compile, disable, is_compiling, list_backends, reset
from .._names import missing
from . import config

__all__ = ["allow_in_graph", "config", "disable", "is_compiling", "list_backends", "mark_dynamic", "optimize", "reset"]


def optimize(backend="inductor", **settings):
    """A decorator that leaves the function as it is, and says once that nothing is compiled."""
    return lambda function: compile(function)


def mark_dynamic(tensor, index, **bounds) -> None:
    """A hint for compilers."""


mark_static = maybe_mark_dynamic = mark_dynamic


def __getattr__(name):
    raise missing("torch._dynamo", name, globals())
