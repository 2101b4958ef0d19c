"""torch.fx: graphs of programs are not in hearth; the names are there, and refuse by name when they are called."""
from ._names import missing
from ._once import not_here

_KNOWN = "symbolic_trace Tracer Transformer Interpreter GraphModule Graph Node replace_pattern".split()


def __getattr__(name):
    if name not in _KNOWN:
        raise missing("torch.fx", name, _KNOWN)

    class Refused:
        """A name of PyTorch's whose work hearth does not do."""

        def __new__(cls, *arguments, **settings):
            not_here(f"torch.fx.{name}", "run the module itself")

    Refused.__name__ = Refused.__qualname__ = name
    globals()[name] = Refused
    return Refused


def wrap(fn_or_name):
    """Marks a function for tracing; nothing is traced, so it stays as it is."""
    return fn_or_name
