"""torch.package: packaged programs are not in hearth; the names are there, and refuse by name when they are called."""
from ._names import missing
from ._once import not_here

_KNOWN = "PackageExporter PackageImporter".split()


def __getattr__(name):
    if name not in _KNOWN:
        raise missing("torch.package", name, _KNOWN)

    class Refused:
        """A name of PyTorch's whose work hearth does not do."""

        def __new__(cls, *arguments, **settings):
            not_here(f"torch.package.{name}", "save a state dict with torch.save")

    Refused.__name__ = Refused.__qualname__ = name
    globals()[name] = Refused
    return Refused
