"""torch.export: the names are there; capturing a program as a graph is refused by name."""
from ._names import missing
from ._once import not_here


def export(mod, args=(), kwargs=None, *, dynamic_shapes=None, strict=False, **settings):
    """Raises NotImplementedError: hearth captures no graphs."""
    not_here("torch.export.export", "run the module itself; torch.save keeps its weights")


export_for_training = draft_export = export


def load(f, **settings):
    """Raises NotImplementedError."""
    not_here("torch.export.load")


def save(ep, f, **settings):
    """Raises NotImplementedError."""
    not_here("torch.export.save")


def __getattr__(name):
    raise missing("torch.export", name, globals())
