"""How a module's conversions treat its parameters: changed in place, replaced, or exchanged."""

_overwrite_module_params_on_conversion = False
_swap_module_params_on_conversion = False


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Whether `module.to(...)` makes new parameters instead of giving the old ones new data."""
    global _overwrite_module_params_on_conversion
    _overwrite_module_params_on_conversion = value


def get_overwrite_module_params_on_conversion() -> bool:
    """Whether `module.to(...)` makes new parameters."""
    return _overwrite_module_params_on_conversion


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Whether `module.to(...)` exchanges parameters by torch.utils.swap_tensors."""
    global _swap_module_params_on_conversion
    _swap_module_params_on_conversion = value


def get_swap_module_params_on_conversion() -> bool:
    """Whether `module.to(...)` exchanges parameters by torch.utils.swap_tensors."""
    return _swap_module_params_on_conversion
