"""Which ways of computing attention may be used."""

import contextlib
import enum

__all__ = ["SDPBackend", "sdpa_kernel", "WARN_FOR_UNFUSED_KERNELS"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.IntEnum):
    """PyTorch's ways of computing attention. hearth has one, fused, whichever of them is allowed."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


_allowed = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH, SDPBackend.CUDNN_ATTENTION]


def _cur_sdpa_kernel_backends(with_priority: bool = False):
    return list(_allowed)


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority: bool = False):
    """Inside, only these backends count as allowed. Their results do not differ here: attention has one kernel.

    Raises AssertionError for what is no SDPBackend. Example: with sdpa_kernel(SDPBackend.MATH): ...
    """
    global _allowed
    if isinstance(backends, SDPBackend):
        backends = [backends]
    if not isinstance(backends, (list, tuple)) or not all(isinstance(b, SDPBackend) for b in backends):
        raise AssertionError("Backend must be an instance of SDPBackend or a list of SDPBackend instances")
    before = _allowed
    _allowed = list(dict.fromkeys(backends))
    try:
        yield {}
    finally:
        _allowed = before
