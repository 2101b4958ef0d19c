"""Conversions of a whole module: dtype, device, sharing; each is a function over every parameter and buffer."""

import hearth
from hearth.__future__ import get_overwrite_module_params_on_conversion, get_swap_module_params_on_conversion

from ..parameter import Parameter, is_lazy


def _can_hold(param, applied):
    """Whether the parameter can take this data over and stay the object that it is."""
    return type(applied) is hearth.Tensor or type(applied) is type(param)


def _converted_parameter(param, fn):
    """Apply `fn` to a parameter, in place where memory allows it, keeping its gradient and its identity."""
    with hearth.no_grad():
        applied = fn(param)
    if is_lazy(param) or type(applied) is not type(param.data) and is_lazy(applied):
        return applied if applied is not None else param
    overwrite = get_overwrite_module_params_on_conversion()
    swap = get_swap_module_params_on_conversion()
    if swap:
        fresh = Parameter(applied, requires_grad=param.requires_grad)
        hearth.utils.swap_tensors(param, fresh)
        result = param
    elif not overwrite and _can_hold(param, applied):
        # The optimizer holds this very object: it stays, and its data changes under it.
        param.data = applied
        result = param
    else:
        result = Parameter(applied, requires_grad=param.requires_grad)
    return result


def _convert_grad(param, result, grad, fn):
    with hearth.no_grad():
        applied = fn(grad)
    applied = applied.requires_grad_(grad.requires_grad)
    if result is param and not get_overwrite_module_params_on_conversion():
        result.grad = None
    result.grad = applied


def _apply(self, fn, recurse=True):
    """Replace every parameter, gradient and buffer of this module (and its children) by `fn` of it."""
    if recurse:
        for child in self.children():
            child._apply(fn)
    for name, param in self._parameters.items():
        if param is None:
            continue
        grad = None if is_lazy(param) else param.grad
        if grad is not None:
            # A gradient of the old dtype would refuse the new data.
            param.grad = None
        try:
            result = _converted_parameter(param, fn)
        except BaseException:
            if grad is not None:
                param.grad = grad
            raise
        self._parameters[name] = result
        if grad is not None:
            _convert_grad(param, result, grad, fn)
    for name, buffer in self._buffers.items():
        if buffer is not None:
            self._buffers[name] = fn(buffer)
    return self


def cpu(self):
    """Move all parameters and buffers to the CPU."""
    return self._apply(lambda t: t.cpu())


def cuda(self, device=None):
    """Move all parameters and buffers to a GPU; raises as PyTorch's CPU build does."""
    return self._apply(lambda t: t.cuda(device))


def ipu(self, device=None):
    """Move all parameters and buffers to an IPU; raises, there is none."""
    return self._apply(lambda t: t.ipu(device))


def xpu(self, device=None):
    """Move all parameters and buffers to an XPU; raises, there is none."""
    return self._apply(lambda t: t.xpu(device))


def mtia(self, device=None):
    """Move all parameters and buffers to an MTIA device; raises, there is none."""
    return self._apply(lambda t: t.mtia(device))


def type_(self, dst_type):
    """Convert all parameters and buffers to `dst_type`."""
    return self._apply(lambda t: t.type(dst_type))


def _floating(self, dtype):
    return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)


def float_(self):
    """Convert floating parameters and buffers to float32."""
    return _floating(self, hearth.float32)


def double(self):
    """Convert floating parameters and buffers to float64."""
    return _floating(self, hearth.float64)


def half(self):
    """Convert floating parameters and buffers to float16."""
    return _floating(self, hearth.float16)


def bfloat16(self):
    """Convert floating parameters and buffers to bfloat16."""
    return _floating(self, hearth.bfloat16)


def to_empty(self, *, device, recurse: bool = True):
    """Move parameters and buffers to `device` without their values."""
    return self._apply(lambda t: hearth.empty_like(t, device=device), recurse=recurse)


def _parse_to(args, kwargs):
    """(device, dtype, non_blocking, memory_format) of the forms that `Tensor.to` takes."""
    known = {"device", "dtype", "non_blocking", "copy", "memory_format", "tensor", "other"}
    for key in kwargs:
        if key not in known:
            raise TypeError(f"to() received an invalid combination of arguments - got an unexpected keyword '{key}'")
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    other = kwargs.get("tensor", kwargs.get("other"))
    rest = list(args)
    if rest and isinstance(rest[0], hearth.Tensor):
        other = rest.pop(0)
    if other is not None:
        device, dtype = other.device, other.dtype
    elif rest and isinstance(rest[0], hearth.dtype):
        dtype = rest.pop(0)
    elif rest:
        device = rest.pop(0)
        if rest and (rest[0] is None or isinstance(rest[0], hearth.dtype)):
            dtype = rest.pop(0)
    non_blocking = bool(rest.pop(0)) if rest else kwargs.get("non_blocking", False)
    if device is not None and not isinstance(device, hearth.device):
        device = hearth.device(device)
    return device, dtype, non_blocking, kwargs.get("memory_format")


def to(self, *args, **kwargs):
    """Move and convert parameters and buffers: to(device), to(dtype), to(device, dtype), to(tensor), memory_format=.

    Only floating and complex ones change dtype. Raises TypeError for an integral dtype.
    """
    device, dtype, non_blocking, memory_format = _parse_to(args, kwargs)
    if dtype is not None:
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}")
        if dtype.is_complex:
            import warnings

            warnings.warn(
                "Complex modules are a new feature under active development whose design may change, and some modules "
                "might not work as expected when using complex tensors as parameters or buffers.",
                stacklevel=2,
            )

    def convert(t):
        kind = dtype if dtype is not None and (t.is_floating_point() or t.is_complex()) else None
        try:
            if memory_format is not None and t.dim() in (4, 5):
                return t.to(device, kind, non_blocking, memory_format=memory_format)
            return t.to(device, kind, non_blocking)
        except NotImplementedError as error:
            if str(error) == "Cannot copy out of meta tensor; no data!":
                raise NotImplementedError(
                    f"{error} Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() when moving module "
                    "from meta to a different device."
                ) from None
            raise

    return self._apply(convert)


def share_memory(self):
    """Move all parameters and buffers to memory that other processes can map."""
    return self._apply(lambda t: t.share_memory_())
