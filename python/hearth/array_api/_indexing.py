"""Reading and writing by key: the standard's keys over a tensor's, slices that run backwards included."""
import operator

import hearth


def _plain(key, tensor):
    """The key as a tuple for a tensor: arrays become tensors, the ellipsis is written out."""
    from ._array import Array

    parts = list(key) if isinstance(key, tuple) else [key]
    taken = 0
    for i, part in enumerate(parts):
        if isinstance(part, Array):
            parts[i] = part = part.tensor
        if isinstance(part, hearth.Tensor):
            if part.dtype == hearth.bool:
                taken += part.dim()
            else:
                taken += 1
                parts[i] = part.long()
        elif isinstance(part, slice):
            taken += 1
        elif part is not None and part is not Ellipsis:
            if isinstance(part, (bool, list, float)):
                raise IndexError(f"an index is an integer, a slice, None, ... or an array: got {part!r}")
            parts[i] = operator.index(part)
            taken += 1
    dots = [i for i, part in enumerate(parts) if part is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index has at most one ellipsis")
    if taken > tensor.dim():
        raise IndexError(f"too many indices: {taken} for an array of {tensor.dim()} axes")
    if dots:
        parts[dots[0]:dots[0] + 1] = [slice(None)] * (tensor.dim() - taken)
    return parts


def _forwards(parts, shape):
    """(slices that take the same elements in rising order, the key for what they give, axes to turn round)."""
    first, rest, turned, axis = [], [], [], 0
    for part in parts:
        rest.append(part)
        if part is None:
            continue
        if isinstance(part, hearth.Tensor):
            width = part.dim() if part.dtype == hearth.bool else 1
            first += [slice(None)] * width
            axis += width
            continue
        first.append(slice(None))
        if isinstance(part, slice):
            start, stop, step = part.indices(shape[axis])
            if step < 0:
                count = len(range(start, stop, step))
                low = start + (count - 1) * step if count else 0
                first[-1] = slice(low, start + 1 if count else 0, -step)
                rest[-1] = slice(None)
                turned.append(axis)
        axis += 1
    return tuple(first), tuple(rest), turned


def _is_backwards(part):
    return isinstance(part, slice) and part.step is not None and operator.index(part.step) < 0


def _mask_of(parts):
    """The mask of x[mask], or None."""
    alone = len(parts) == 1 and isinstance(parts[0], hearth.Tensor) and parts[0].dtype == hearth.bool
    return parts[0] if alone else None


def _is_empty_mask(mask, tensor):
    """A mask with no elements takes nothing, also where an axis of it is 0 and the array's is not."""
    return mask is not None and mask.dim() > 0 and mask.numel() == 0 and all(
        m in (n, 0) for m, n in zip(mask.shape, tensor.shape))


def get(tensor, key):
    """tensor[key] by the standard's rules. Raises IndexError."""
    parts = _plain(key, tensor)
    mask = _mask_of(parts)
    if _is_empty_mask(mask, tensor):
        return tensor.new_empty((0,) + tuple(tensor.shape[mask.dim():]))
    if not any(_is_backwards(part) for part in parts):
        return tensor[tuple(parts)]
    first, rest, turned = _forwards(parts, tensor.shape)
    return tensor[first].flip(turned)[rest]


def put(tensor, key, value):
    """tensor[key] = value; the value broadcasts and has the tensor's type already."""
    parts = _plain(key, tensor)
    if _is_empty_mask(_mask_of(parts), tensor):
        return
    if not any(_is_backwards(part) for part in parts):
        tensor[tuple(parts)] = value
        return
    first, rest, turned = _forwards(parts, tensor.shape)
    window = tensor[first]
    changed = window.flip(turned)
    changed[rest] = value
    window.copy_(changed.flip(turned))
