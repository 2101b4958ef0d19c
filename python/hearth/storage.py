"""torch.storage: the classes of storages."""
import hearth

from ._names import missing


def __getattr__(name):
    if name in ("UntypedStorage", "TypedStorage"):
        return getattr(hearth, name)
    raise missing("torch.storage", name, ["UntypedStorage", "TypedStorage"])
