"""torch.backends: what this build computes with, and switches for other devices, which may be set and read."""
from .._names import missing
from . import cpu, cuda, cudnn, mha, mkl, mkldnn, mps, openmp, opt_einsum, quantized, xnnpack  # noqa: F401

fp32_precision = "none"


def __getattr__(name):
    raise missing("torch.backends", name, globals())
