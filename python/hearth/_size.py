"""torch.Size: a tuple of sizes that prints its name."""
from . import _C


class Size(tuple):
    """Sizes of a tensor. Example: Size([2, 3]).numel() == 6."""

    __slots__ = ()
    __module__ = "hearth"

    def numel(self):
        """The product of the sizes."""
        count = 1
        for size in self:
            count *= size
        return count

    def __repr__(self):
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other):
        return Size(tuple(other) + tuple(self))

    def __mul__(self, count):
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __reduce__(self):
        return Size, (tuple(self),)


_C._set_size_type(Size)
