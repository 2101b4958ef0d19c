"""torch.ao: quantization, which is not in hearth; the names refuse by name when they are called."""
from .. import quantization
from .._names import missing

__all__ = ["quantization"]


def __getattr__(name):
    raise missing("torch.ao", name, __all__)
