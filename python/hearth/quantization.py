"""torch.quantization: quantized models are not in hearth; the names are there, and refuse by name when they are called."""
from ._names import missing
from ._once import not_here

_KNOWN = "quantize_dynamic quantize prepare convert fuse_modules get_default_qconfig QConfig QuantStub DeQuantStub prepare_qat".split()


def __getattr__(name):
    if name not in _KNOWN:
        raise missing("torch.quantization", name, _KNOWN)

    class Refused:
        """A name of PyTorch's whose work hearth does not do."""

        def __new__(cls, *arguments, **settings):
            not_here(f"torch.quantization.{name}", "use bfloat16 weights")

    Refused.__name__ = Refused.__qualname__ = name
    globals()[name] = Refused
    return Refused
