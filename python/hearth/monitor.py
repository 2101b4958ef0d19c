"""torch.monitor: event counters are not in hearth; the names are there, and refuse by name when they are called."""
from ._names import missing
from ._once import not_here

_KNOWN = "Stat Event log_event register_event_handler".split()


def __getattr__(name):
    if name not in _KNOWN:
        raise missing("torch.monitor", name, _KNOWN)

    class Refused:
        """A name of PyTorch's whose work hearth does not do."""

        def __new__(cls, *arguments, **settings):
            not_here(f"torch.monitor.{name}", "")

    Refused.__name__ = Refused.__qualname__ = name
    globals()[name] = Refused
    return Refused
