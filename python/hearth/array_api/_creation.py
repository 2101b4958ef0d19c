"""Functions that make arrays."""

import hearth

from ._array import Array, tensor_of
from ._dtypes import default_complex, result_type


def _new(make, shape, dtype, device, *values):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return Array(make(shape, *values, dtype=dtype, device=device))


def _numbers(obj):
    """The Python numbers of nested sequences, one by one."""
    if isinstance(obj, (list, tuple)):
        for item in obj:
            yield from _numbers(item)
    else:
        yield obj


def _plain(obj):
    """Nested sequences with arrays in them as nested sequences of numbers."""
    if isinstance(obj, (list, tuple)):
        return [_plain(item) for item in obj]
    return tensor_of(obj, "asarray").tolist() if isinstance(obj, (Array, hearth.Tensor)) else obj


def _guess(obj):
    """The default type for the numbers of a nested sequence."""
    kinds = {type(value) for value in _numbers(obj)}
    arrays = [value for value in _numbers(obj) if isinstance(value, (Array, hearth.Tensor))]
    if arrays:
        return result_type(
            *arrays, *(value for value in _numbers(obj) if not isinstance(value, (Array, hearth.Tensor)))
        )
    if complex in kinds:
        return default_complex()
    if float in kinds or not kinds:
        return hearth.get_default_dtype()
    return hearth.bool if kinds == {bool} else hearth.int64


def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """An array of `obj`: an array, a tensor, numbers, nested sequences of them, or what has a buffer or DLPack.

    copy: True always copies, False raises ValueError where a copy would be needed, None copies only then.
    """
    if isinstance(obj, (bool, int, float, complex, list, tuple)):
        if copy is False:
            raise ValueError("asarray: Python numbers cannot be taken without a copy")
        wanted = _guess(obj) if dtype is None else dtype
        return Array(hearth.tensor(_plain(obj), dtype=wanted, device=device))
    if isinstance(obj, (Array, hearth.Tensor)):
        tensor = tensor_of(obj, "asarray")
    elif hasattr(obj, "__array__"):
        tensor = hearth.as_tensor(obj)
    elif hasattr(obj, "__dlpack__"):
        tensor = hearth.from_dlpack(obj)
    else:
        view = memoryview(obj)
        names = {
            "b": hearth.int8,
            "B": hearth.uint8,
            "h": hearth.int16,
            "H": hearth.uint16,
            "i": hearth.int32,
            "I": hearth.uint32,
            "l": hearth.int64,
            "L": hearth.uint64,
            "q": hearth.int64,
            "Q": hearth.uint64,
            "f": hearth.float32,
            "d": hearth.float64,
            "?": hearth.bool,
        }
        if view.format not in names:
            raise TypeError(f"asarray: a buffer of format {view.format!r} is not supported")
        tensor = hearth.frombuffer(view, dtype=names[view.format]).reshape(view.shape)
    changed = tensor.to(
        device=tensor.device if device is None else device, dtype=tensor.dtype if dtype is None else dtype
    )
    if copy is False and changed.data_ptr() != tensor.data_ptr():
        raise ValueError("asarray: a copy is needed, and copy is False")
    if copy and changed.data_ptr() == tensor.data_ptr():
        changed = changed.clone()
    return obj if isinstance(obj, Array) and changed is tensor else Array(changed)


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    """The numbers from start (0 when only one number is given) to stop, without it, by step."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange: step must not be 0")
    if dtype is None:
        whole = all(isinstance(number, int) for number in (start, stop, step))
        dtype = hearth.int64 if whole else hearth.get_default_dtype()
    if (stop - start) / step <= 0:
        return Array(hearth.empty((0,), dtype=dtype, device=device))
    return Array(hearth.arange(start, stop, step, dtype=dtype, device=device))


def empty(shape, *, dtype=None, device=None):
    """An array that is not filled."""
    return _new(hearth.empty, shape, dtype, device)


def empty_like(x, /, *, dtype=None, device=None):
    return Array(hearth.empty_like(tensor_of(x, "empty_like"), dtype=dtype, device=device))


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None):
    """A matrix with ones on its k-th diagonal and zeros elsewhere."""
    columns = n_rows if n_cols is None else n_cols
    matrix = hearth.zeros((n_rows, columns), dtype=dtype, device=device)
    if -n_rows < k < columns:
        matrix.diagonal(k).fill_(1)
    return Array(matrix)


def from_dlpack(x, /, *, device=None, copy=None):
    """An array over the memory of an object of any library that speaks DLPack."""
    tensor = hearth.from_dlpack(x.tensor if isinstance(x, Array) else x)
    if device is not None and hearth.device(device) != tensor.device:
        if copy is False:
            raise ValueError("from_dlpack: another device needs a copy, and copy is False")
        return Array(tensor.to(device=device))
    return Array(tensor.clone() if copy else tensor)


def _type_for(value, dtype):
    return _guess(value) if dtype is None else dtype


def full(shape, fill_value, *, dtype=None, device=None):
    """An array that is fill_value (a Python number) everywhere."""
    return _new(hearth.full, shape, _type_for(fill_value, dtype), device, fill_value)


def full_like(x, /, fill_value, *, dtype=None, device=None):
    tensor = tensor_of(x, "full_like")
    return Array(hearth.full_like(tensor, fill_value, dtype=tensor.dtype if dtype is None else dtype, device=device))


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True):
    """`num` numbers, evenly spaced from start to stop; without stop itself when endpoint is False."""
    if num < 0:
        raise ValueError(f"linspace: num must not be negative: got {num}")
    if dtype is None:
        dtype = (
            default_complex() if isinstance(start, complex) or isinstance(stop, complex) else hearth.get_default_dtype()
        )
    count = num if endpoint else num + 1
    if dtype in (hearth.complex64, hearth.complex128):
        start, stop, wide = complex(start), complex(stop), hearth.float64
        parts = [
            hearth.linspace(a, b, count, dtype=wide, device=device)[:num]
            for a, b in ((start.real, stop.real), (start.imag, stop.imag))
        ]
        return Array(hearth.complex(*parts).to(dtype))
    wide = hearth.float64 if dtype not in (hearth.float32, hearth.float64) else dtype
    return Array(hearth.linspace(start, stop, count, dtype=wide, device=device)[:num].to(dtype))


def meshgrid(*arrays, indexing="xy"):
    """Grids of coordinates, one an argument; "xy" makes the first argument the columns, "ij" the rows."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is 'xy' or 'ij': got {indexing!r}")
    tensors = [tensor_of(x, "meshgrid") for x in arrays]
    if any(x.dim() != 1 for x in tensors):
        raise ValueError("meshgrid: the arrays must have one axis each")
    if len({x.dtype for x in tensors}) > 1:
        raise ValueError("meshgrid: the arrays must have one type")
    swap = indexing == "xy" and len(tensors) > 1
    places = [1, 0, *range(2, len(tensors))] if swap else list(range(len(tensors)))
    shape = [0] * len(tensors)
    for x, place in zip(tensors, places):
        shape[place] = x.shape[0]
    views = [
        x.reshape([-1 if axis == place else 1 for axis in range(len(tensors))]) for x, place in zip(tensors, places)
    ]
    return tuple(Array(view.expand(shape).clone()) for view in views)


def ones(shape, *, dtype=None, device=None):
    return _new(hearth.ones, shape, dtype, device)


def ones_like(x, /, *, dtype=None, device=None):
    return Array(hearth.ones_like(tensor_of(x, "ones_like"), dtype=dtype, device=device))


def _triangle(x, k, name):
    tensor = tensor_of(x, name)
    if tensor.dim() < 2:
        raise ValueError(f"{name}: the array must have 2 axes or more: it has {tensor.dim()}")
    return Array(getattr(hearth, name)(tensor, k))


def tril(x, /, *, k=0):
    """The part of each matrix on and under its k-th diagonal."""
    return _triangle(x, k, "tril")


def triu(x, /, *, k=0):
    """The part of each matrix on and over its k-th diagonal."""
    return _triangle(x, k, "triu")


def zeros(shape, *, dtype=None, device=None):
    return _new(hearth.zeros, shape, dtype, device)


def zeros_like(x, /, *, dtype=None, device=None):
    return Array(hearth.zeros_like(tensor_of(x, "zeros_like"), dtype=dtype, device=device))


def astype(x, dtype, /, *, copy=True, device=None):
    """x with another type. Raises TypeError for complex numbers to real ones."""
    tensor = tensor_of(x, "astype")
    if tensor.dtype.is_complex and not dtype.is_complex:
        raise TypeError("astype: complex numbers do not become real ones; take real(x) or imag(x)")
    changed = tensor.to(device=tensor.device if device is None else device, dtype=dtype)
    return Array(changed.clone() if copy and changed is tensor else changed)
