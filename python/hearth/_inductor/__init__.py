"""torch._inductor: settings only; hearth compiles nothing."""
from .._names import missing
from . import config

__all__ = ["config"]


def __getattr__(name):
    raise missing("torch._inductor", name, globals())
