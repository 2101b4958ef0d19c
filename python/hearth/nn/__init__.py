"""Layers, losses and what models are made of."""

from importlib import import_module as _import_module

from . import init, modules, parameter, utils
from .modules import *  # noqa: F401,F403
from .modules.module import Module
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

_LAZY = ("functional", "parallel", "attention", "grad", "_reduction", "common_types")


def factory_kwargs(kwargs):
    """The keyword arguments `device`, `dtype` and `memory_format` out of a layer's, checked.

    Raises TypeError for another name, or for one that is also inside `kwargs["factory_kwargs"]`.
    """
    if kwargs is None:
        return {}
    simple = {"device", "dtype", "memory_format"}
    expected = simple | {"factory_kwargs"}
    if not kwargs.keys() <= expected:
        raise TypeError(f"unexpected kwargs {kwargs.keys() - expected}")
    result = dict(kwargs.get("factory_kwargs", {}))
    for key in simple:
        if key in kwargs:
            if key in result:
                raise TypeError(f"{key} specified twice, in **kwargs and in factory_kwargs")
            result[key] = kwargs[key]
    return result


def __getattr__(name):
    if name in _LAZY:
        return _import_module(f"{__name__}.{name}")
    if name == "DataParallel":
        from .parallel import DataParallel

        return DataParallel
    raise AttributeError(f"module 'torch.nn' has no attribute '{name}'")
