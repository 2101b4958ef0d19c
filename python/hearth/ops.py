"""torch.ops: the operators that torch.library.custom_op made, and hearth's own under `aten`."""


class _Namespace:
    """The operators of one namespace."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        import hearth
        from .library import _operators

        if name.startswith("__"):
            raise AttributeError(name)
        if f"{self._name}::{name}" in _operators:
            return _operators[f"{self._name}::{name}"]
        if self._name == "aten":
            return hearth._C._slice if name == "slice" else getattr(hearth, name)
        raise AttributeError(f"'_OpNamespace' '{self._name}' object has no attribute '{name}'")


def load_library(path):
    """Raises NotImplementedError: PyTorch's binary extensions do not run on hearth."""
    from ._once import not_here

    not_here(f"torch.ops.load_library({path!r})")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    globals()[name] = made = _Namespace(name)
    return made
