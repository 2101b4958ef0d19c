"""Sampling of images and volumes at any places: gathered neighbours, weighted. Differentiable in both arguments."""
from itertools import product

import hearth


def _check(input, grid, mode):
    if input.dim() not in (4, 5) or input.dim() != grid.dim():
        raise RuntimeError("grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input "
                           f"with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}")
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError("grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
                           f"{list(input.shape)} and grid with sizes {list(grid.shape)}")
    if grid.shape[-1] != input.dim() - 2:
        raise RuntimeError(f"grid_sampler(): expected grid to have size {input.dim() - 2} in last dimension, but got grid "
                           f"with sizes {list(grid.shape)}")
    if min(input.shape[2:]) <= 0:
        raise RuntimeError("grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                           f"{list(input.shape)}")
    if input.dtype != grid.dtype:
        raise RuntimeError(f"grid_sampler(): expected input and grid to have same dtype, but input has {input.dtype} and "
                           f"grid has {grid.dtype}")


def _pixels(place, size, align_corners):
    """Places in [-1, 1] as pixel numbers."""
    return (place + 1) / 2 * (size - 1) if align_corners else ((place + 1) * size - 1) / 2


def _reflected(x, low2, high2):
    """Reflected at low2 / 2 and high2 / 2 until inside."""
    if low2 == high2:
        return x * 0
    low, span = low2 / 2, (high2 - low2) / 2
    away = (x - low).abs()
    with hearth.no_grad():
        turns = (away / span).floor()
        even = turns.remainder(2) == 0
    extra = away - turns * span
    return hearth.where(even, extra + low, span - extra + low)


def _moved_inside(x, size, padding_mode, align_corners):
    if padding_mode == "reflection":
        x = _reflected(x, 0, 2 * (size - 1)) if align_corners else _reflected(x, -1, 2 * size - 1)
    if padding_mode != "zeros":
        x = x.clamp(0, size - 1)
    return x


def _values(flat, index, sizes, inside):
    """input's values at whole pixels: flat [N, C, pixels]; index one [N, places] a dimension; zeros where not inside."""
    position = None
    for at, size in zip(index, sizes):
        at = at.clamp(0, size - 1)
        position = at if position is None else position * size + at
    n, c = flat.shape[:2]
    values = flat.gather(2, position.unsqueeze(1).expand(n, c, position.shape[1]))
    return values if inside is None else values.masked_fill(~inside.unsqueeze(1), 0)


def _inside(index, sizes):
    kept = None
    for at, size in zip(index, sizes):
        here = (at >= 0) & (at < size)
        kept = here if kept is None else kept & here
    return kept


def _whole(x):
    """Floor as int64; what is not a number or out of range becomes a place outside."""
    return x.detach().floor().nan_to_num(nan=-100.0, posinf=-100.0, neginf=-100.0).clamp(-100, 2 ** 24 - 1).long()


def _linear(flat, places, sizes, padding_mode):
    corners = [_whole(x) for x in places]
    total = None
    for bits in range(2 ** len(sizes)):
        index, weight = [], None
        for d, (x, low) in enumerate(zip(places, corners)):
            upper = bits >> d & 1
            part = x - low if upper else low + 1 - x
            index.append(low + upper)
            weight = part if weight is None else weight * part
        kept = _inside(index, sizes)
        here = _values(flat, index, sizes, kept) * weight.masked_fill(~kept, 0).unsqueeze(1)
        total = here if total is None else total + here
    return total


def _nearest(flat, places, sizes, padding_mode):
    index = [_whole(x.detach().round()) for x in places]
    return _values(flat, index, sizes, _inside(index, sizes))


def _cubic_weights(t):
    """Keys' kernel with a = -0.75 for the pixels at -1, 0, 1 and 2."""
    a = -0.75

    def outer(d):
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    def inner(d):
        return ((a + 2) * d - (a + 3)) * d * d + 1

    return [outer(t + 1), inner(t), inner(1 - t), outer(2 - t)]


def _cubic(flat, places, sizes, padding_mode, align_corners):
    corners = [_whole(x) for x in places]
    weights = [_cubic_weights(x - low) for x, low in zip(places, corners)]
    total = None
    for offsets in product(range(4), repeat=len(sizes)):
        index = [low + (k - 1) for low, k in zip(corners, offsets)]
        if padding_mode != "zeros":
            index = [_moved_inside(at.to(flat.dtype), size, padding_mode, align_corners).long()
                     for at, size in zip(index, sizes)]
        weight = None
        for parts, k in zip(weights, offsets):
            weight = parts[k] if weight is None else weight * parts[k]
        here = _values(flat, index, sizes, _inside(index, sizes)) * weight.unsqueeze(1)
        total = here if total is None else total + here
    return total


def sample(input, grid, mode, padding_mode, align_corners):
    """See nn.functional.grid_sample."""
    _check(input, grid, mode)
    n, c = input.shape[:2]
    sizes, outputs = list(input.shape[2:]), list(grid.shape[1:-1])
    flat = input.reshape(n, c, -1)
    # The grid's last entry is the first dimension.
    axes = grid.reshape([n, -1, len(sizes)]).flip([-1]).unbind(-1)
    places = [_pixels(x, size, align_corners) for x, size in zip(axes, sizes)]
    if mode == "bicubic":
        made = _cubic(flat, places, sizes, padding_mode, align_corners)
    else:
        places = [_moved_inside(x, size, padding_mode, align_corners) for x, size in zip(places, sizes)]
        made = (_linear if mode == "bilinear" else _nearest)(flat, places, sizes, padding_mode)
    if mode == "nearest":
        # A nearest pixel does not change with the place: the grid's gradient is zero, not absent.
        made = made + grid.reshape(-1)[:0].sum()
    return made.reshape([n, c, *outputs])
