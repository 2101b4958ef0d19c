"""Differences, slopes and areas of sampled functions."""
from .. import _C
from .._C import Tensor
from .._function import _package, function


def _length(name, x, dim):
    dim = _package._ops.gather._dim(dim, x.dim())
    return dim, x.shape[dim] if x.dim() else 1


@function("method")
def diff(input, n=1, dim=-1, prepend=None, append=None, *, out=None):
    """The n-th difference of neighbours along dim."""
    if input.dim() == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return input.clone()
    if prepend is not None or append is not None:
        parts = [t for t in (prepend, input, append) if t is not None]
        for part in parts:
            if part.dim() != input.dim():
                raise RuntimeError("diff: prepend and append must have as many dimensions as input")
        input = _C.cat(parts, dim)
    dim, size = _length("diff", input, dim)
    n = min(n, size)
    for _ in range(n):
        size = max(size - 1, 0)
        later, earlier = input.narrow(dim, input.shape[dim] - size, size), input.narrow(dim, 0, size)
        input = later.logical_xor(earlier) if input.dtype == _C.bool else later - earlier
    return input


def _slope(y, spacing, dim, edge_order):
    """The slope along dim; spacing is a number or the coordinates."""
    size = y.shape[dim]

    def part(start, stop):
        return y.narrow(dim, start, stop - start)

    if not isinstance(spacing, Tensor):
        inner = (part(2, size) - part(0, size - 2)) / (2 * spacing)
        if edge_order == 1:
            first, last = (part(1, 2) - part(0, 1)) / spacing, (part(size - 1, size) - part(size - 2, size - 1)) / spacing
        else:
            first = (-1.5 * part(0, 1) + 2 * part(1, 2) - 0.5 * part(2, 3)) / spacing
            last = (0.5 * part(size - 3, size - 2) - 2 * part(size - 2, size - 1) + 1.5 * part(size - 1, size)) / spacing
        return _C.cat([first, inner, last], dim)
    along = [1] * y.dim()
    along[dim] = -1
    steps = spacing[1:] - spacing[:-1]
    a, b = steps[:-1].reshape(along), steps[1:].reshape(along)
    inner = (-b / (a * (a + b))) * part(0, size - 2) + ((b - a) / (a * b)) * part(1, size - 1) + \
        (a / (b * (a + b))) * part(2, size)
    if edge_order == 1:
        first = (part(1, 2) - part(0, 1)) / steps[0]
        last = (part(size - 1, size) - part(size - 2, size - 1)) / steps[-1]
        return _C.cat([first, inner, last], dim)
    a, b = steps[0], steps[1]
    first = -(2 * a + b) / (a * (a + b)) * part(0, 1) + (a + b) / (a * b) * part(1, 2) - a / (b * (a + b)) * part(2, 3)
    a, b = steps[-2], steps[-1]
    last = b / (a * (a + b)) * part(size - 3, size - 2) - (a + b) / (a * b) * part(size - 2, size - 1) + \
        (2 * b + a) / (b * (a + b)) * part(size - 1, size)
    return _C.cat([first, inner, last], dim)


@function()
def gradient(input, *, spacing=None, dim=None, edge_order=1):
    """The slope of samples along each of the dimensions, by central differences; spacing: numbers or coordinates."""
    rank = input.dim()
    if edge_order not in (1, 2):
        raise RuntimeError(f"gradient: edge_order must be 1 or 2: {edge_order}")
    if input.dtype == _C.uint8:
        raise RuntimeError("gradient: uint8 is not supported")
    listed = isinstance(spacing, (list, tuple))
    if dim is None:
        dims = list(range(rank))
    else:
        dims = [_package._ops.gather._dim(d, rank) for d in ([dim] if isinstance(dim, int) else dim)]
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"gradient: a dimension is named twice: {dim}")
    if spacing is None:
        spacing = [1.0] * len(dims)
    elif not listed:
        spacing = [spacing] * len(dims)
    if len(spacing) != len(dims):
        raise RuntimeError(f"gradient: {len(spacing)} spacings for {len(dims)} dimensions")
    for d, step in zip(dims, spacing):
        if input.shape[d] < edge_order + 1:
            raise RuntimeError(f"gradient: dimension {d} of size {input.shape[d]} is too short for edge_order {edge_order}")
        if isinstance(step, Tensor) and step.dim() > 0:
            if step.dim() != 1 or step.shape[0] != input.shape[d]:
                raise RuntimeError(f"gradient: coordinates must have the size of dimension {d}: {tuple(step.shape)}")
    flat = [float(s) if isinstance(s, Tensor) and s.dim() == 0 else s for s in spacing]
    return tuple(_slope(input, step, d, edge_order) for d, step in zip(dims, flat))


def _pairs(name, y, x, dx, dim):
    """The areas between neighbours along dim."""
    dim, size = _length(name, y, dim)
    if y.dtype == _C.bool:
        raise RuntimeError(f"{name}: received a bool input for `y`, but bool is not supported")
    both = y.narrow(dim, 0, size - 1) + y.narrow(dim, 1, size - 1)
    if x is None:
        if isinstance(dx, complex):
            return both * (dx / 2), dim
        if isinstance(dx, bool):
            raise RuntimeError(f"{name}: bool is not supported for `dx`")
        return both * (dx / 2), dim
    if x.dtype == _C.bool:
        raise RuntimeError(f"{name}: received a bool input for `x`, but bool is not supported")
    if x.dim() == 1:
        if x.shape[0] != size:
            raise RuntimeError(f"{name}: x has {x.shape[0]} places, y {size} along dimension {dim}")
        along = [1] * y.dim()
        along[dim] = -1
        steps = (x[1:] - x[:-1]).reshape(along)
    else:
        while x.dim() < y.dim():
            x = x.unsqueeze(0)
        if x.shape[dim] != size and x.shape[dim] != 1:
            raise RuntimeError(f"{name}: x has {x.shape[dim]} places, y {size} along dimension {dim}")
        steps = x.narrow(dim, 1, x.shape[dim] - 1) - x.narrow(dim, 0, x.shape[dim] - 1)
    return both * steps / 2, dim


@function()
def trapezoid(y, x=None, *, dx=None, dim=-1):
    """The area under samples y along dim, at places x or dx apart, by trapezoids."""
    dim, size = _length("trapezoid", y, dim)
    if size == 0:
        return y.new_zeros([s for d, s in enumerate(y.shape) if d != dim])
    areas, dim = _pairs("trapezoid", y, x, 1.0 if dx is None else dx, dim)
    return areas.sum(dim)


@function()
def trapz(y, x=None, *, dx=1.0, dim=-1):
    """trapezoid by its older name."""
    return trapezoid(y, x, dx=dx, dim=dim) if x is None else trapezoid(y, x, dim=dim)


@function()
def cumulative_trapezoid(y, x=None, *, dx=None, dim=-1):
    """The running area under samples y along dim."""
    dim, size = _length("cumulative_trapezoid", y, dim)
    if size == 0:
        return y.new_zeros(y.shape)
    areas, dim = _pairs("cumulative_trapezoid", y, x, 1.0 if dx is None else dx, dim)
    return areas.cumsum(dim)
