"""torch.onnx: the names are there; writing ONNX files is refused by name."""
from .._names import missing
from .._once import not_here


def export(model, args=(), f=None, **settings):
    """Raises NotImplementedError: hearth writes no ONNX files."""
    not_here("torch.onnx.export", "save a state dict (torch.save) and export it with PyTorch, which loads it")


dynamo_export = export


def is_in_onnx_export() -> bool:
    """False, always."""
    return False


class OnnxExporterError(RuntimeError):
    """What PyTorch raises when an export fails."""


def __getattr__(name):
    raise missing("torch.onnx", name, globals())
