"""Functions that move, join and repeat elements."""

import operator

import hearth

from ._array import Array, tensor_of
from ._dtypes import result_type


def axis_of(axis, ndim: int, op: str) -> int:
    """A non-negative axis. Raises IndexError (as out of range) naming the op."""
    axis = operator.index(axis)
    if not -ndim <= axis < ndim:
        raise IndexError(f"{op}: axis {axis} is out of range for {ndim} axes")
    return axis % ndim if ndim else 0


def axes_of(axis, ndim: int, op: str) -> list:
    """The axes that `axis` names: an int, a tuple, or None for all. Raises ValueError for one given twice."""
    if axis is None:
        return list(range(ndim))
    axes = [axis_of(one, ndim, op) for one in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    if len(set(axes)) != len(axes):
        raise ValueError(f"{op}: an axis is given twice: {axis}")
    return axes


def broadcast_shapes(*shapes):
    """The shape that these shapes broadcast to. Raises ValueError when they do not."""
    result = []
    for shape in shapes:
        result = [1] * (len(shape) - len(result)) + result
        for i in range(1, len(shape) + 1):
            size = shape[-i]
            if result[-i] == 1:
                result[-i] = size
            elif size not in (1, result[-i]):
                raise ValueError(f"broadcast_shapes: shapes do not go together: {shapes}")
    return tuple(result)


def broadcast_arrays(*arrays):
    """The arrays, each in the shape that all of them broadcast to."""
    tensors = [tensor_of(x, "broadcast_arrays") for x in arrays]
    shape = broadcast_shapes(*(tuple(x.shape) for x in tensors))
    return tuple(Array(x.expand(shape)) for x in tensors)


def broadcast_to(x, /, shape):
    """x in a shape that it broadcasts to."""
    tensor = tensor_of(x, "broadcast_to")
    if broadcast_shapes(tuple(tensor.shape), tuple(shape)) != tuple(shape):
        raise ValueError(f"broadcast_to: {tuple(tensor.shape)} does not broadcast to {tuple(shape)}")
    return Array(tensor.expand(tuple(shape)))


def _alike(arrays, op):
    tensors = [tensor_of(x, op) for x in arrays]
    if not tensors:
        raise ValueError(f"{op}: at least one array is needed")
    dtype = result_type(*tensors)
    return [x.to(dtype) for x in tensors]


def concat(arrays, /, *, axis=0):
    """The arrays joined along an axis; flattened first when axis is None."""
    tensors = _alike(arrays, "concat")
    if axis is None:
        return Array(hearth.cat([x.reshape(-1) for x in tensors], 0))
    axis = axis_of(axis, tensors[0].dim(), "concat")
    first = tensors[0].shape
    for x in tensors[1:]:
        # An empty vector joins anything in PyTorch; here shapes must agree.
        if x.dim() != len(first) or any(a != b for i, (a, b) in enumerate(zip(first, x.shape)) if i != axis):
            raise ValueError(f"concat: shapes do not go together along axis {axis}: {tuple(first)}, {tuple(x.shape)}")
    return Array(hearth.cat(tensors, axis))


def expand_dims(x, /, axis=0):
    """x with an axis of size 1 at each place that `axis` (an int or a tuple) names in the result."""
    tensor = tensor_of(x, "expand_dims")
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    for place in sorted(axes_of(axis, tensor.dim() + count, "expand_dims")):
        tensor = tensor.unsqueeze(place)
    return Array(tensor)


def flip(x, /, *, axis=None):
    """x with the order of elements along these axes (all, when None) turned round."""
    tensor = tensor_of(x, "flip")
    return Array(tensor.flip(axes_of(axis, tensor.dim(), "flip")))


def moveaxis(x, source, destination, /):
    """x with its axes `source` moved to the places `destination`; the others keep their order."""
    tensor = tensor_of(x, "moveaxis")
    sources, places = (axes_of(axis, tensor.dim(), "moveaxis") for axis in (source, destination))
    if len(sources) != len(places):
        raise ValueError("moveaxis: as many places as axes are needed")
    order = [axis for axis in range(tensor.dim()) if axis not in sources]
    for place, axis in sorted(zip(places, sources)):
        order.insert(place, axis)
    return Array(tensor.permute(order))


def permute_dims(x, /, axes):
    """x with its axes in this order."""
    tensor = tensor_of(x, "permute_dims")
    if sorted(axes_of(tuple(axes), tensor.dim(), "permute_dims")) != list(range(tensor.dim())):
        raise ValueError(f"permute_dims: every axis is needed once: got {axes}")
    return Array(tensor.permute(tuple(axes)))


def repeat(x, repeats, /, *, axis=None):
    """Each element `repeats` times (an int, or one number for each along the axis), one after the other."""
    tensor = tensor_of(x, "repeat")
    if not isinstance(repeats, int):
        repeats = tensor_of(repeats, "repeat").long()
        if repeats.dim() == 0 or (repeats.dim() == 1 and repeats.shape[0] == 1):
            repeats = int(repeats.reshape(()).item())
    if axis is None:
        tensor, axis = tensor.reshape(-1), 0
    axis = axis_of(axis, tensor.dim(), "repeat")
    if isinstance(repeats, int):
        if repeats < 0:
            raise ValueError(f"repeat: repeats must not be negative: got {repeats}")
        wide = tensor.unsqueeze(axis + 1)
        wide = wide.expand([*wide.shape[: axis + 1], repeats, *wide.shape[axis + 2 :]])
        return Array(wide.reshape([*tensor.shape[:axis], tensor.shape[axis] * repeats, *tensor.shape[axis + 1 :]]))
    return Array(hearth.repeat_interleave(tensor, repeats, axis))


def reshape(x, /, shape, *, copy=None):
    """x in another shape; one size may be -1. copy as asarray has it."""
    tensor = tensor_of(x, "reshape")
    made = tensor.reshape(tuple(shape))
    shared = made.data_ptr() == tensor.data_ptr()
    if copy is False and not shared:
        raise ValueError("reshape: a copy is needed, and copy is False")
    return Array(made.clone() if copy and shared else made)


def roll(x, /, shift, *, axis=None):
    """x with its elements moved on by `shift`, from the end back to the front."""
    tensor = tensor_of(x, "roll")
    if axis is None:
        if not isinstance(shift, int):
            raise ValueError("roll: several shifts need as many axes")
        return Array(hearth.roll(tensor.reshape(-1), shift, 0).reshape(tensor.shape))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    if len(shifts) != len(axes):
        raise ValueError(f"roll: {len(shifts)} shifts for {len(axes)} axes")
    for one, place in zip(shifts, axes):
        tensor = hearth.roll(tensor, one, axis_of(place, tensor.dim(), "roll"))
    return Array(tensor)


def squeeze(x, /, axis):
    """x without these axes, whose size must be 1."""
    tensor = tensor_of(x, "squeeze")
    for place in sorted(axes_of(axis, tensor.dim(), "squeeze"), reverse=True):
        if tensor.shape[place] != 1:
            raise ValueError(f"squeeze: axis {place} has size {tensor.shape[place]}, not 1")
        tensor = tensor.squeeze(place)
    return Array(tensor)


def stack(arrays, /, *, axis=0):
    """The arrays, of one shape, along a new axis."""
    tensors = _alike(arrays, "stack")
    if any(x.shape != tensors[0].shape for x in tensors):
        raise ValueError("stack: the arrays must have one shape")
    return Array(hearth.stack(tensors, axis_of(axis, tensors[0].dim() + 1, "stack")))


def tile(x, repetitions, /):
    """x put next to itself this many times along each axis; the axes of both are matched from the last."""
    tensor = tensor_of(x, "tile")
    times = tuple(repetitions)
    rank = max(tensor.dim(), len(times))
    times = (1,) * (rank - len(times)) + times
    shape = [1] * (rank - tensor.dim()) + list(tensor.shape)
    pairs = tensor.reshape([size for n in shape for size in (1, n)])
    wide = pairs.expand([size for pair in zip(times, shape) for size in pair])
    return Array(wide.reshape([n * t for n, t in zip(shape, times)]))


def unstack(x, /, *, axis=0):
    """The parts of x along an axis, without it, as a tuple."""
    tensor = tensor_of(x, "unstack")
    axis = axis_of(axis, tensor.dim(), "unstack")
    return tuple(Array(tensor.select(axis, i)) for i in range(tensor.shape[axis]))
