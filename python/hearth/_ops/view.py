"""Views as copies, writes into a view of a copy, and views that several tensors or dimensions take part in."""
from .. import _C
from .._C import Tensor
from .._function import _package, function


def _copy_of(view, name, *parameters):
    """hearth.NAME_copy: what `view` gives, in memory of its own."""
    text = ", ".join(parameters)
    names = ", ".join(p.split("=")[0].strip() for p in parameters)
    scope = {"view": view}
    exec(f"def {name}_copy({text}, *, out=None):\n    return view({names}).clone()", scope)  # noqa: S102
    body = scope[f"{name}_copy"]
    body.__doc__ = f"{name}, in memory of its own."
    function()(body)


def _method(name):
    made = getattr(Tensor, name)
    return lambda x, *args: made(x, *args)


_copy_of(lambda x: x, "alias", "input")
_copy_of(lambda x: x, "detach", "input")
_copy_of(_C.as_strided, "as_strided", "input", "size", "stride", "storage_offset=None")
_copy_of(_C.diagonal, "diagonal", "input", "offset=0", "dim1=0", "dim2=1")
_copy_of(_method("expand"), "expand", "input", "size")
_copy_of(_C.permute, "permute", "input", "dims")
_copy_of(_C._reshape_alias, "_reshape_alias", "input", "size", "stride")
_copy_of(_C.select, "select", "input", "dim", "index")
_copy_of(_C._slice, "slice", "input", "dim=0", "start=None", "end=None", "step=1")
_copy_of(_C.t, "t", "input")
_copy_of(_C.transpose, "transpose", "input", "dim0", "dim1")
_copy_of(_method("unfold"), "unfold", "input", "dimension", "size", "step")
_copy_of(_C.unsqueeze, "unsqueeze", "input", "dim")
_copy_of(lambda x, dim: _C.squeeze(x) if dim is None else _C.squeeze(x, dim), "squeeze", "input", "dim=None")


@function()
def view_copy(input, size=None, *, dtype=None, out=None):
    """view, in memory of its own."""
    return input.view(dtype if size is None else size).clone()


@function("method")
def narrow_copy(input, dim, start, length, *, out=None):
    """narrow, in memory of its own; a start beyond the end raises."""
    return _C.narrow(input, dim, start, length).clone()


@function()
def split_copy(input, split_size, dim=0, *, out=None):
    """split, each part in memory of its own."""
    return tuple(part.clone() for part in _C.split(input, split_size, dim))


@function()
def split_with_sizes_copy(input, split_sizes, dim=0, *, out=None):
    """split_with_sizes, each part in memory of its own."""
    return tuple(part.clone() for part in _C.split_with_sizes(input, split_sizes, dim))


@function()
def unbind_copy(input, dim=0, *, out=None):
    """unbind, each part in memory of its own."""
    return tuple(part.clone() for part in _C.unbind(input, dim))


def _written(made, part, src, name):
    if part.shape != src.shape:
        raise RuntimeError(f"{name}: src must have the shape of what it replaces: {tuple(src.shape)}, "
                           f"expected {tuple(part.shape)}")
    part.copy_(src)
    return made


@function("method")
def select_scatter(input, src, dim, index):
    """A copy of input with src in place of select(input, dim, index)."""
    made = input.clone()
    return _written(made, made.select(dim, index), src, "select_scatter")


@function("method")
def slice_scatter(input, src, dim=0, start=None, end=None, step=1, *, out=None):
    """A copy of input with src in place of a slice of one dimension."""
    made = input.clone()
    return _written(made, _C._slice(made, dim, start, end, step), src, "slice_scatter")


@function("method")
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of input with src in place of a diagonal."""
    made = input.clone()
    return _written(made, made.diagonal(offset, dim1, dim2), src, "diagonal_scatter")


@function("method")
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of input, of the same strides, with src in place of as_strided(input, ...)."""
    count = input._storage_bytes() // input.element_size()
    offset = input.storage_offset()
    whole = _C.as_strided(input, (count,), (1,), 0).clone()
    part = whole.as_strided(size, stride, offset if storage_offset is None else storage_offset)
    _written(whole, part, src, "as_strided_scatter")
    return whole.as_strided(input.shape, input.stride(), offset)


def _lists(tensors):
    return list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)


def _each(name, one):
    def body(*tensors):
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return one(tensors[0])
        return tuple(one(t) for t in _lists(tensors))

    body.__name__ = body.__qualname__ = name
    body.__doc__ = one.__doc__
    setattr(_package, name, body)


def _one(x):
    """At least one dimension."""
    return x.reshape(1) if x.dim() == 0 else x


def _two(x):
    """At least two dimensions; new ones come first."""
    return x.reshape(1, 1) if x.dim() == 0 else x.unsqueeze(0) if x.dim() == 1 else x


def _three(x):
    """At least three dimensions, as NumPy places them."""
    if x.dim() >= 3:
        return x
    return x.reshape(1, 1, 1) if x.dim() == 0 else x.reshape(1, -1, 1) if x.dim() == 1 else x.unsqueeze(-1)


_each("atleast_1d", _one)
_each("atleast_2d", _two)
_each("atleast_3d", _three)


def broadcast_shapes(*shapes):
    """The shape that all shapes (tuples or single sizes) broadcast to."""
    result = []
    for shape in shapes:
        sizes = [shape] if isinstance(shape, int) else [int(s) for s in shape]
        if any(s < 0 for s in sizes):
            raise RuntimeError(f"broadcast_shapes: sizes must not be negative: {tuple(sizes)}")
        result = [1] * (len(sizes) - len(result)) + result
        for i, size in enumerate(reversed(sizes), 1):
            if size == result[-i] or size == 1:
                continue
            if result[-i] != 1:
                raise RuntimeError(f"broadcast_shapes: shapes cannot be broadcast: {shapes}")
            result[-i] = size
    return _package.Size(result)


_package.broadcast_shapes = broadcast_shapes


def broadcast_tensors(*tensors):
    """The tensors as views of their common shape."""
    tensors = _lists(tensors)
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


_package.broadcast_tensors = broadcast_tensors


@function("method")
def hsplit(input, indices_or_sections):
    """tensor_split along the second dimension (the first of a 1-dim tensor)."""
    if input.dim() < 1:
        raise RuntimeError(f"hsplit: needs a dimension: {tuple(input.shape)}")
    return _even(input, indices_or_sections, 0 if input.dim() == 1 else 1, "hsplit")


@function("method")
def vsplit(input, indices_or_sections):
    """tensor_split along the first dimension."""
    if input.dim() < 2:
        raise RuntimeError(f"vsplit: needs at least two dimensions: {tuple(input.shape)}")
    return _even(input, indices_or_sections, 0, "vsplit")


@function("method")
def dsplit(input, indices_or_sections):
    """tensor_split along the third dimension."""
    if input.dim() < 3:
        raise RuntimeError(f"dsplit: needs at least three dimensions: {tuple(input.shape)}")
    return _even(input, indices_or_sections, 2, "dsplit")


def _even(x, sections, dim, name):
    if isinstance(sections, int) and (sections <= 0 or x.shape[dim] % sections):
        raise RuntimeError(f"{name}: dimension {dim} of size {x.shape[dim]} cannot be split into {sections} equal parts")
    return _C.tensor_split(x, sections, dim)


def _size_of(sizes):
    return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes


def sum_to_size(self, *size):
    """Summed over the dimensions in which `size` has 1 or nothing."""
    size, lead = _size_of(size), self.dim() - len(_size_of(size))
    if lead < 0 or any(s != 1 and s != own for s, own in zip(size, self.shape[lead:])):
        raise RuntimeError(f"sum_to_size: {tuple(self.shape)} cannot be summed to {tuple(size)}")
    dims = list(range(lead)) + [lead + d for d, s in enumerate(size) if s == 1 and self.shape[lead + d] != 1]
    return self.sum(dims, keepdim=True).reshape(size) if dims or not self.dim() else self


Tensor.sum_to_size = sum_to_size
