"""skip_init: a module whose parameters are not drawn."""

import inspect

import hearth

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """A `module_cls(*args, **kwargs)` whose parameters hold whatever memory holds. Raises RuntimeError.

    Example: skip_init(hearth.nn.Linear, 4096, 4096)
    """
    if not issubclass(module_cls, hearth.nn.Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, **kwargs, device="meta").to_empty(device=device)
