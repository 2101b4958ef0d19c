"""Rebuilds tensors, parameters and generators from what a checkpoint says about them; every figure is checked first."""
from collections import OrderedDict

import hearth

from .reader import refuse


class StorageType:
    """Stands for `torch.FloatStorage` and its like in a stream: a dtype, or None for untyped bytes."""

    def __init__(self, dtype):
        self.dtype = dtype


class Storage:
    """One storage of a checkpoint: its bytes as a flat uint8 tensor on a device, and the dtype its record names."""

    def __init__(self, flat, dtype, count, device):
        self.flat, self.dtype, self.count, self.device = flat, dtype, count, device


def is_int(value):
    return type(value) is int


def whole_numbers(values, what):
    if not isinstance(values, (tuple, list)) or not all(is_int(v) and 0 <= v < 2**62 for v in values):
        refuse(f"{what} is no tuple of sizes")
    if len(values) > 64:
        refuse(f"{what} has {len(values)} dimensions")
    return tuple(values)


def rebuild_tensor(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None, dtype=None):
    """A tensor over a storage; its last element must lie inside."""
    if type(storage).__module__ == "hearth.storage":
        storage = Storage(storage._flat, None, storage.nbytes(), storage.device)
    if not isinstance(storage, Storage):
        refuse("a tensor without a storage")
    size, stride = whole_numbers(size, "a tensor's size"), whole_numbers(stride, "a tensor's stride")
    if not is_int(offset) or offset < 0 or len(size) != len(stride):
        refuse("a tensor's offset or strides do not fit its size")
    dtype = dtype or storage.dtype
    if not isinstance(dtype, hearth.dtype):
        refuse("a tensor without a dtype")
    if not isinstance(requires_grad, bool) or (hooks is not None and not isinstance(hooks, dict)):
        refuse("a tensor's flags are damaged")
    if storage.device.type == "meta":
        result = meta_tensor(dtype, size, stride)
    else:
        last = offset + sum((n - 1) * step for n, step in zip(size, stride)) if all(size) else offset - 1
        if (last + 1) * dtype.itemsize > storage.flat.numel():
            refuse(f"a tensor of size {list(size)} reaches beyond its storage")
        result = over(storage.flat, dtype, offset, size, stride)
    if isinstance(metadata, dict):
        result = result.conj() if metadata.get("conj") is True else result
        result = -result if metadata.get("neg") is True else result
    if requires_grad:
        result.requires_grad_(True)
    return result


def flat_bytes(tensor):
    """All bytes of the storage under a tensor, as a flat uint8 tensor that shares them."""
    item = tensor.dtype.itemsize
    count = tensor._storage_bytes() // item
    return tensor.detach().as_strided((count,), (1,), 0).view(hearth.uint8).detach()


def over(flat, dtype, offset, size, stride):
    """A tensor of that dtype and geometry which shares the memory of the flat uint8 tensor, and is no view of it."""
    whole = flat.numel() // dtype.itemsize * dtype.itemsize
    return flat[:whole].view(dtype).as_strided(size, stride, offset).detach()


def meta_tensor(dtype, size, stride, requires_grad=False):
    if not isinstance(dtype, hearth.dtype):
        refuse("a meta tensor without a dtype")
    size, stride = whole_numbers(size, "a tensor's size"), whole_numbers(stride, "a tensor's stride")
    result = hearth.empty_strided(size, stride, dtype=dtype, device="meta")
    return result.requires_grad_(True) if requires_grad is True else result


def rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, metadata=None):
    return rebuild_tensor(storage, offset, size, stride, requires_grad, hooks, metadata, dtype)


def rebuild_parameter(data, requires_grad, hooks):
    if not isinstance(data, hearth.Tensor) or not isinstance(requires_grad, bool):
        refuse("a parameter without a tensor")
    return hearth.nn.Parameter(data, requires_grad)


def rebuild_parameter_with_state(data, requires_grad, hooks, state):
    result = rebuild_parameter(data, requires_grad, hooks)
    set_attributes(result, state)
    return result


def set_attributes(target, state):
    """Puts a saved `__dict__` (or a pair of it and slots) onto an object without running its class's code."""
    slots = {}
    if type(state) is tuple and len(state) == 2:
        state, slots = state
    for part in (state, slots):
        if part is not None and not (isinstance(part, dict) and all(type(key) is str for key in part)):
            refuse(f"the state of a {type(target).__name__} is no dict of attributes")
    for key in slots or ():
        if key.startswith("__") and key.endswith("__"):
            refuse(f"the attribute {key} of a {type(target).__name__}")
    if state:
        if not hasattr(target, "__dict__"):
            refuse(f"a {type(target).__name__} takes no attributes")
        target.__dict__.update(state)
    for key, value in (slots or {}).items():
        object.__setattr__(target, key, value)


def set_generator_state(generator, state):
    if not (type(state) is tuple and len(state) == 3 and isinstance(state[2], hearth.Tensor)):
        refuse("a generator's state is damaged")
    try:
        generator.set_state(state[2])
    except (RuntimeError, TypeError, ValueError) as error:
        refuse(f"a generator's state is damaged: {error}")


def as_device(*arguments):
    try:
        return hearth.device(*arguments)
    except (RuntimeError, TypeError, ValueError) as error:
        refuse(f"a device is damaged: {error}")


def as_size(*arguments):
    return hearth.Size(whole_numbers(arguments[0] if arguments else (), "a size"))


def as_bytes(*arguments):
    """`_codecs.encode(text, "latin1")`: how protocol 2 writes bytes."""
    if len(arguments) != 2 or type(arguments[0]) is not str or arguments[1] not in ("latin1", "latin-1"):
        refuse("bytes that are not latin1 text")
    return arguments[0].encode("latin-1")


def rebuild_array(dtype, shape, body, fortran):
    """A NumPy array from its raw bytes; object arrays are refused."""
    import numpy

    count = 1
    for extent in shape:
        count *= extent
    if dtype.hasobject or count * dtype.itemsize != len(body):
        refuse("a NumPy array whose bytes do not fit its shape")
    return numpy.frombuffer(bytes(body), dtype).reshape(shape, order="F" if fortran else "C").copy()


def ordered(*arguments):
    return OrderedDict(*[_pairs(argument) for argument in arguments[:1]])


def _pairs(items):
    if isinstance(items, dict):
        return dict(items)
    if not all(type(item) in (list, tuple) and len(item) == 2 and type(item[0]) in (str, int) for item in items):
        refuse("an OrderedDict from something other than pairs")
    return items
