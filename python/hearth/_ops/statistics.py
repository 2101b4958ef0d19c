"""Quantiles, medians without NaN, modes and histograms."""
from .. import _C
from .._C import Tensor
from .._function import _package, function


def _named(name, *values):
    from .. import return_types

    return getattr(return_types, name)(values)


def _interpolated(ordered, rank, dim, interpolation):
    """Elements at fractional ranks along the last dimension."""
    low = rank.floor()
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": low, "higher": rank.ceil(), "nearest": rank.round()}[interpolation]
        return ordered.gather(-1, rank.to(_C.int64))
    below = ordered.gather(-1, low.to(_C.int64))
    above = ordered.gather(-1, rank.ceil().to(_C.int64))
    weight = 0.5 if interpolation == "midpoint" else rank - low
    weight = _C.full_like(below, 0.5) if interpolation == "midpoint" else weight
    return below.lerp(above, weight)


_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(name, x, q, interpolation):
    if x.numel() == 0:
        raise RuntimeError(f"{name}: input tensor must be non-empty")
    if x.dtype not in (_C.float32, _C.float64):
        raise RuntimeError(f"{name}: input tensor must be either float or double dtype: {x.dtype}")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(f"{name}: interpolation must be one of {', '.join(_INTERPOLATIONS)}: {interpolation}")
    if isinstance(q, Tensor):
        if q.dim() > 1:
            raise RuntimeError(f"{name}: q must be a number or a 1-dim tensor: {tuple(q.shape)}")
        if q.dtype != x.dtype:
            raise RuntimeError(f"{name}: q must have the tensor's dtype: {q.dtype} and {x.dtype}")
        if q.numel() and not bool(((q >= 0) & (q <= 1)).all()):
            raise RuntimeError(f"{name}: q must lie between 0 and 1")
    elif not 0 <= q <= 1:
        raise RuntimeError(f"{name}: q must lie between 0 and 1: {q}")


def _quantile(name, x, q, dim, keepdim, interpolation):
    _check_quantile(name, x, q, interpolation)
    rank = x.dim()
    if dim is None:
        rows = x.reshape(-1)
    else:
        _package._ops.gather._dim(dim, rank)
        rows = x.reshape(1) if rank == 0 else x.movedim(dim, -1)
    places = q if isinstance(q, Tensor) else _C.full((), q, dtype=x.dtype)
    ordered = rows.sort(-1).values
    broken = ordered.isnan()
    if name == "quantile":
        position = places.reshape(-1) * (ordered.shape[-1] - 1)
        position = position.expand(*ordered.shape[:-1], position.shape[0])
        position = position.masked_fill(broken.any(-1, keepdim=True), ordered.shape[-1] - 1)
    else:
        last = (broken.logical_not().sum(-1, keepdim=True) - 1).clamp_min(0)
        position = places.reshape(-1) * last
    found = _interpolated(ordered, position, dim, interpolation)
    if keepdim:
        found = found.movedim(-1, 0)
        found = found.reshape(-1, *[1] * rank) if dim is None else found.unsqueeze(dim if dim < 0 else dim + 1) if rank \
            else found
    else:
        found = found.movedim(-1, 0)
    return found if places.dim() else found.squeeze(0)


@function("method")
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """The values below which the parts `q` of each row lie; NaN where a row holds one."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@function("method")
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """quantile of what is not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


@function("method")
def nanmedian(input, dim=None, keepdim=False, *, out=None):
    """The lower median of what is not NaN; with dim also where it lies."""
    if dim is None:
        if input.numel() == 0:
            return _C.median(input)
        flat = input.reshape(-1)
        kept = flat[flat.isnan().logical_not()] if input.is_floating_point() else flat
        return _C.median(kept if kept.numel() else flat)
    if input.dim() and input.shape[dim] == 0:
        raise IndexError(f"nanmedian: nothing to choose from along dimension {dim}: {tuple(input.shape)}")
    if not input.is_floating_point() or not bool(input.isnan().any()):
        found = _C.median(input, dim, keepdim)
        return _named("nanmedian", found.values, found.indices)
    rows = input.reshape(1) if input.dim() == 0 else input
    count = rows.isnan().logical_not().sum(dim, keepdim=True)
    middle = (count - 1).clamp_min(0).div(2, rounding_mode="floor")
    order = rows.detach().argsort(dim)
    index = order.gather(dim, middle)
    values = rows.gather(dim, index)
    if input.dim() == 0:
        return _named("nanmedian", values.reshape(()), index.reshape(()))
    return _named("nanmedian", *((values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))))


@function("method")
def mode(input, dim=-1, keepdim=False, *, out=None):
    """The most frequent element along dim, the smallest of several, and the place of its last occurrence."""
    if input.dim() == 0:
        return _named("mode", input.clone(), _C.zeros((), dtype=_C.int64))
    dim = _package._ops.gather._dim(dim, input.dim())
    size = input.shape[dim]
    if size == 0 and input.numel() == 0:
        raise IndexError(f"mode: nothing to choose from along dimension {dim}: {tuple(input.shape)}")
    with _package.no_grad():
        ordered, order = input.detach().sort(dim, stable=True)
        along = [1] * input.dim()
        along[dim] = size
        place = _C.arange(size).reshape(along).expand(input.shape)
        fresh = _C.ones(input.shape, dtype=_C.bool)
        if size > 1:
            fresh.narrow(dim, 1, size - 1).copy_(ordered.narrow(dim, 1, size - 1) != ordered.narrow(dim, 0, size - 1))
        start = place.masked_fill(fresh.logical_not(), 0).cummax(dim).values
        last = (place - start).argmax(dim, keepdim=True)
        index = order.gather(dim, last)
    values = input.gather(dim, index)
    return _named("mode", *((values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))))


def _edges(x, bins, range):
    """bins + 1 edges of equal parts; without a range, of x's own."""
    if range is None:
        low, high = (float(x.min()), float(x.max())) if x.numel() else (0.0, 1.0)
    else:
        low, high = map(float, range)
    if not (low <= high and low - low == 0 and high - high == 0):
        raise RuntimeError(f"histogram: the range must be finite and ascending: {low} to {high}")
    if low == high:
        low, high = (low - 0.5, high + 0.5) if range is not None or x.numel() else (low, high)
    return _C.linspace(low, high, bins + 1, dtype=x.dtype)


def _places(x, edges, equal):
    """The bin of each element, -1 outside."""
    bins = edges.shape[0] - 1
    if equal and bins:
        low, high = edges[0], edges[-1]
        place = ((x - low) * (bins / (high - low))).floor().to(_C.int64).clamp(0, bins - 1)
        # Rounding may have put an element beside its bin.
        place = place - ((place > 0) & (x < edges[place])).to(_C.int64)
        place = place + ((place < bins - 1) & (x >= edges[place + 1])).to(_C.int64)
    else:
        place = (_C._searchsorted(edges, x, True) - 1)
        place = place.masked_fill(x == edges[-1], bins - 1)
    outside = (x < edges[0]) | (x > edges[-1]) | x.isnan()
    return place.masked_fill(outside, -1)


def _counted(name, places, sizes, weight, dtype, density, edges):
    """Counts (or weights) of each cell, as a tensor of shape `sizes`."""
    total = 1
    cell, inside = None, None
    for place, size in zip(places, sizes):
        cell = place if cell is None else cell * size + place
        inside = place >= 0 if inside is None else inside & (place >= 0)
        total *= size
    cell = cell[inside]
    counts = _C.zeros(total, dtype=dtype)
    share = _C.ones(cell.shape, dtype=dtype) if weight is None else weight.reshape(-1)[inside].to(dtype)
    counts = counts.index_add(0, cell, share).reshape(sizes)
    if density:
        counts = counts / counts.sum()
        for d, edge in enumerate(edges):
            along = [1] * len(sizes)
            along[d] = -1
            counts = counts / (edge[1:] - edge[:-1]).reshape(along)
    return counts


def _check_histogram(name, x, weight):
    if not x.is_floating_point():
        raise RuntimeError(f"{name}: needs a floating tensor: {x.dtype}")
    if weight is not None and weight.dtype != x.dtype:
        raise RuntimeError(f"{name}: weight must have the tensor's dtype: {weight.dtype} and {x.dtype}")


@function("method")
def histogram(input, bins=100, *, range=None, weight=None, density=False, out=None):
    """Counts (or sums of weights) in bins, whose number or edges are given, and the edges."""
    _check_histogram("histogram", input, weight)
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(f"histogram: weight must have the tensor's shape: {tuple(weight.shape)}")
    with _package.no_grad():
        flat = input.detach().reshape(-1)
        equal = not isinstance(bins, Tensor)
        if equal and bins < 1:
            raise RuntimeError(f"histogram: bins must be positive: {bins}")
        if not equal and (bins.dim() != 1 or bins.dtype != input.dtype):
            raise RuntimeError("histogram: edges must be a 1-dim tensor of the tensor's dtype")
        edges = _edges(flat, bins, range) if equal else bins.clone()
        place = _places(flat, edges, equal)
        hist = _counted("histogram", [place], [edges.shape[0] - 1], weight, input.dtype, density, [edges])
    return _named("histogram", hist, edges)


@function()
def histogramdd(input, bins, range=None, weight=None, density=False):
    """The histogram of points, input [..., dimensions], over a grid of bins."""
    _check_histogram("histogramdd", input, weight)
    if input.dim() < 2:
        raise RuntimeError(f"histogramdd: needs at least two dimensions: {tuple(input.shape)}")
    count = input.shape[-1]
    points = input.detach().reshape(-1, count)
    if isinstance(bins, int):
        bins = [bins] * count
    if len(bins) != count:
        raise RuntimeError(f"histogramdd: {len(bins)} bins for {count} dimensions")
    if weight is not None and weight.shape != input.shape[:-1]:
        raise RuntimeError(f"histogramdd: weight must have the shape of the points: {tuple(weight.shape)}")
    if range is not None and len(range) != 2 * count:
        raise RuntimeError(f"histogramdd: range needs {2 * count} numbers: got {len(range)}")
    edges, places = [], []
    with _package.no_grad():
        for d, b in enumerate(bins):
            column, equal = points[:, d], not isinstance(b, Tensor)
            own = None if range is None else (range[2 * d], range[2 * d + 1])
            edges.append(_edges(column, b, own) if equal else b.clone())
            places.append(_places(column, edges[-1], equal))
        sizes = [e.shape[0] - 1 for e in edges]
        hist = _counted("histogramdd", places, sizes, weight, input.dtype, density, edges)
    return _named("histogramdd", hist, tuple(edges))
