"""Makes a batch out of a list of samples."""
import collections.abc
import copy
import sys

import hearth

_WANTED = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def _numpy():
    return sys.modules.get("numpy")


def _is_array(value):
    numpy = _numpy()
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)) and value.dtype.kind not in "SUO"


def default_convert(data):
    """NumPy arrays within a sample become tensors; everything else stays. Example: `default_convert([array, "x"])`."""
    if isinstance(data, hearth.Tensor):
        return data
    if _is_array(data):
        return hearth.as_tensor(data)
    if isinstance(data, collections.abc.Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, collections.abc.Sequence) and not isinstance(data, (str, bytes)):
        return _like(data, [default_convert(value) for value in data])
    return data


def _like(model, values):
    """`values` in a container of the class of `model` where that can be had, otherwise as they are."""
    if type(model) in (dict, list):
        return values
    try:
        if isinstance(model, collections.abc.MutableMapping):
            result = copy.copy(model)
            result.update(values)
            return result
        if isinstance(model, collections.abc.MutableSequence):
            result = copy.copy(model)
            for place, value in enumerate(values):
                result[place] = value
            return result
        return type(model)(values)
    except TypeError:
        return values


def collate(batch, *, collate_fn_map=None):
    """As default_collate, with functions for further types: `collate_fn_map[type](batch, collate_fn_map=...)`."""
    first = batch[0]
    for kind, function in (collate_fn_map or {}).items():
        if isinstance(first, kind):
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, collections.abc.Mapping):
        columns = {key: collate([each[key] for each in batch], collate_fn_map=collate_fn_map) for key in first}
        return _like(first, columns)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)))
    if isinstance(first, collections.abc.Sequence) and not isinstance(first, (str, bytes)):
        if any(len(each) != len(first) for each in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        return columns if isinstance(first, tuple) else _like(first, columns)
    raise TypeError(_WANTED.format(type(first)))


def collate_tensor_fn(batch, *, collate_fn_map=None):
    return hearth.stack(list(batch), 0)


def collate_float_fn(batch, *, collate_fn_map=None):
    return hearth.tensor(list(batch), dtype=hearth.float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    return hearth.tensor(list(batch))


def collate_str_fn(batch, *, collate_fn_map=None):
    return batch


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    if batch[0].dtype.kind in "SUO":
        raise TypeError(_WANTED.format(batch[0].dtype))
    return hearth.stack([hearth.as_tensor(each) for each in batch], 0)


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    return hearth.as_tensor(_numpy().asarray(batch))


default_collate_fn_map = {
    hearth.Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch):
    """Stacks tensors, arrays and numbers along a new first dimension, inside dicts, tuples and lists too.

    Example: `default_collate([{"x": 1}, {"x": 2}])` is `{"x": tensor([1, 2])}`.
    """
    numpy = _numpy()
    table = default_collate_fn_map
    if numpy is not None and numpy.ndarray not in table:
        arrays = {
            numpy.ndarray: collate_numpy_array_fn,
            (numpy.bool_, numpy.number, numpy.object_): collate_numpy_scalar_fn,
        }
        table = {hearth.Tensor: collate_tensor_fn, **arrays, **default_collate_fn_map}
    return collate(batch, collate_fn_map=table)
