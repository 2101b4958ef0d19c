"""Tensors from what other libraries hold: as_tensor, asarray, frombuffer, from_dlpack."""
from .. import _C
from .._C import Tensor
from .._function import _package as hearth


def _is_array(data):
    return hasattr(data, "__array_interface__") and hasattr(data, "dtype")


def as_tensor(data, dtype=None, device=None):
    """A tensor of `data`, sharing its memory where dtype and device allow."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    if _is_array(data) and getattr(data, "shape", ()) != ():
        return _C.from_numpy(data).to(device=device, dtype=dtype)
    return hearth.tensor(data, dtype=dtype, device=device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """A tensor of `obj`; copy=False refuses to copy, copy=True always does, None as needed."""
    if isinstance(obj, Tensor):
        made = obj if requires_grad else obj.detach()
    elif _is_array(obj) and obj.shape != ():
        made = _C.from_numpy(obj)
    elif hasattr(obj, "__dlpack__"):
        made = from_dlpack(obj)
    elif isinstance(obj, (bytes, bytearray, memoryview)) or type(obj).__module__ == "array":
        made = frombuffer(obj, dtype=dtype or hearth.get_default_dtype())
    else:
        if copy is False:
            raise ValueError(f"can't alias arbitrary sequence into a tensor: got {type(obj).__name__}")
        return hearth.tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)
    same = dtype is None or made.dtype == dtype
    if copy is False and not same:
        raise ValueError(f"can't alias tensor with dtype '{made.dtype}' into dtype '{dtype}'.")
    made = made.to(device=device, dtype=dtype)
    if copy and same:
        made = made.clone()
    if requires_grad and not made.requires_grad:
        made.requires_grad_(True)
    return made if requires_grad or not made.requires_grad else made.detach()


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-dim tensor on the memory of an object with the buffer protocol."""
    raw = memoryview(buffer)
    if not raw.contiguous:
        raise ValueError("frombuffer: a contiguous buffer is needed")
    raw = raw.cast("B") if raw.nbytes else raw
    size = dtype.itemsize
    if raw.nbytes == 0 or count == 0:
        raise ValueError(f"both buffer length ({raw.nbytes}) and count ({count}) must not be 0")
    if offset < 0 or offset >= raw.nbytes:
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
                         f"({raw.nbytes} bytes) minus 1")
    if count < 0:
        if (raw.nbytes - offset) % size:
            raise ValueError(f"buffer length ({raw.nbytes - offset} bytes) after offset ({offset} bytes) must be a "
                             f"multiple of element size ({size})")
        count = (raw.nbytes - offset) // size
    if offset + count * size > raw.nbytes:
        raise ValueError(f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be "
                         f"greater than actual buffer length ({raw.nbytes} bytes)")
    made = _C.from_numpy(raw[offset:offset + count * size]).view(dtype)
    return made.requires_grad_(True) if requires_grad else made


def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor on the memory of another library's array, by the DLPack protocol."""
    made = ext_tensor if isinstance(ext_tensor, Tensor) else _C._from_dlpack(ext_tensor)
    made = made.detach().to(device=device)
    return made.clone() if copy else made


_C.frombuffer = frombuffer
for _made in (as_tensor, asarray, frombuffer, from_dlpack):
    setattr(hearth, _made.__name__, _made)


def _dlpack(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """This tensor as a DLPack capsule."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and stream != -1:
        raise BufferError("stream must be None: this tensor is on the CPU")
    if dl_device is not None and tuple(dl_device) != (1, 0):
        raise BufferError(f"cannot export to device {dl_device}")
    return _C._dlpack(self.clone() if copy else self)


def _dlpack_device(self):
    """(1, 0): the CPU."""
    return 1, 0


Tensor.__dlpack__, Tensor.__dlpack_device__ = _dlpack, _dlpack_device
