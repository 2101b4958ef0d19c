"""The memory format of the weights of convolutions."""

import hearth

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _convert(module, memory_format, kinds):
    if isinstance(module, kinds):
        module.weight.data = module.weight.detach().clone(memory_format=memory_format)
    for child in module.children():
        _convert(child, memory_format, kinds)
    return module


def convert_conv2d_weight_memory_format(module, memory_format):
    """Store the weights of all Conv2d and ConvTranspose2d inside `module` in `memory_format`."""
    return _convert(module, memory_format, (hearth.nn.Conv2d, hearth.nn.ConvTranspose2d))


def convert_conv3d_weight_memory_format(module, memory_format):
    """Store the weights of all Conv3d and ConvTranspose3d inside `module` in `memory_format`."""
    return _convert(module, memory_format, (hearth.nn.Conv3d, hearth.nn.ConvTranspose3d))
