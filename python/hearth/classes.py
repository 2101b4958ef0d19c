"""torch.classes: classes of binary extensions, which hearth does not load."""
from ._names import missing


def __getattr__(name):
    raise missing("torch.classes", name, [])
