"""DataParallel: the wrapper that PyTorch spreads over GPUs; without any it calls the module."""

from ..modules.module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Holds `module`, under that name, and calls it. There are no GPUs to spread a batch over."""

    def __init__(self, module, device_ids=None, output_device=None, dim=0) -> None:
        super().__init__()
        if device_ids:
            raise RuntimeError(f"DataParallel: there are no GPUs in hearth: device_ids is {device_ids}")
        self.module = module
        self.device_ids = []
        self.dim = dim

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """Call `module` on `inputs`. Raises RuntimeError for device_ids: there are no GPUs."""
    if device_ids:
        raise RuntimeError(f"data_parallel: there are no GPUs in hearth: device_ids is {device_ids}")
    inputs = inputs if isinstance(inputs, tuple) else (inputs,) if inputs is not None else ()
    return module(*inputs, **(module_kwargs or {}))
