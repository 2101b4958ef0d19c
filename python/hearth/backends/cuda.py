"""Switches for products on CUDA devices, which a CPU program may set; they change nothing here."""
import contextlib


class _Switches:
    """Named switches with their defaults; unknown names are refused."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __setattr__(self, name, value):
        if name not in self.__dict__:
            raise AttributeError(f"Unknown attribute {name}")
        self.__dict__[name] = value


matmul = _Switches(allow_tf32=False, allow_fp16_reduced_precision_reduction=True,
                   allow_bf16_reduced_precision_reduction=True, allow_fp16_accumulation=False, fp32_precision="none")
cufft_plan_cache = _Switches(size=0, max_size=0)
_kernels = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """False: hearth is built without CUDA."""
    return False


def _switch(kernel):
    def enabled() -> bool:
        return _kernels[kernel]

    def enable(enabled: bool) -> None:
        _kernels[kernel] = bool(enabled)

    return enabled, enable


flash_sdp_enabled, enable_flash_sdp = _switch("flash")
mem_efficient_sdp_enabled, enable_mem_efficient_sdp = _switch("mem_efficient")
math_sdp_enabled, enable_math_sdp = _switch("math")
cudnn_sdp_enabled, enable_cudnn_sdp = _switch("cudnn")


@contextlib.contextmanager
def sdp_kernel(enable_flash=True, enable_math=True, enable_mem_efficient=True, enable_cudnn=True):
    """A block with these attention kernels allowed on CUDA devices."""
    before = dict(_kernels)
    _kernels.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield
    finally:
        _kernels.update(before)


def preferred_linalg_library(backend=None) -> str:
    """The library for linear algebra on CUDA devices: the default one."""
    return "default"


preferred_blas_library = preferred_linalg_library
