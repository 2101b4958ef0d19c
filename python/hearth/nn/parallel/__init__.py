"""Models on several devices: DataParallel, which on the CPU calls its module."""

from importlib import import_module as _import_module

from .data_parallel import DataParallel, data_parallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


def __getattr__(name):
    if name == "DistributedDataParallel":
        return _import_module(f"{__name__}.distributed").DistributedDataParallel
    raise AttributeError(f"torch.nn.parallel.{name} is not in hearth; nearest: DataParallel, DistributedDataParallel")
