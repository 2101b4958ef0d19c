"""Small attributes and methods of Tensor that need no op of their own."""
from . import _C
from ._C import Tensor
from ._layout import strided

Tensor.ndimension = Tensor.dim
Tensor.nelement = Tensor.numel
Tensor.itemsize = property(lambda self: self.element_size(), doc="Bytes of one element.")
Tensor.nbytes = property(lambda self: self.numel() * self.element_size(), doc="Bytes of all elements.")
Tensor.layout = property(lambda self: strided, doc="torch.strided: there is no other layout.")
Tensor.name = property(lambda self: None, doc="None.")


def _method(function):
    setattr(Tensor, function.__name__, function)
    return function


@_method
def get_device(self):
    """The number of the GPU; -1 for the CPU."""
    return -1


@_method
def is_signed(self):
    """Whether the element type has negative numbers."""
    return self.dtype.is_signed


@_method
def is_same_size(self, other):
    """Whether the shapes are equal."""
    return self.shape == other.shape


@_method
def is_set_to(self, tensor):
    """Whether both are the same window on the same memory."""
    return (self._storage_ptr() == tensor._storage_ptr() and self.storage_offset() == tensor.storage_offset()
            and self.shape == tensor.shape and self.stride() == tensor.stride())


@_method
def is_inference(self):
    """False: tensors made under inference_mode are ordinary ones here."""
    return False


@_method
def is_pinned(self, device=None):
    """False: there is no accelerator to pin memory for."""
    return False


@_method
def pin_memory(self, device=None):
    """Raises RuntimeError: there is no accelerator."""
    raise RuntimeError("pin_memory: Cannot access accelerator device when none is available.")


@_method
def new(self, *args):
    """A tensor of the same type: new(2, 3) is empty, new([1, 2]) holds numbers."""
    if len(args) == 1 and isinstance(args[0], (list, tuple)) and not isinstance(args[0], _size()):
        return self.new_tensor(args[0])
    return self.new_empty(args[0] if len(args) == 1 and isinstance(args[0], _size()) else args or (0,))


def _size():
    from ._size import Size

    return Size


@_method
def fill_diagonal_(self, fill_value, wrap=False):
    """Writes a number over the main diagonal; of a tall matrix, with wrap, again after every block of columns + 1 rows."""
    if self.dim() < 2:
        raise RuntimeError("fill_diagonal_: dimensions must larger than 1")
    if self.dim() > 2 and len(set(self.shape)) != 1:
        raise RuntimeError("fill_diagonal_: all dimensions of input must be of equal length")
    step = sum(self.stride())
    if self.dim() == 2 and not wrap or self.dim() > 2:
        count = min(self.shape)
        self.as_strided((count,), (step,), self.storage_offset()).fill_(fill_value)
        return self
    rows, columns = self.shape
    for start in range(0, rows, columns + 1):
        self[start:start + columns].fill_diagonal_(fill_value)
    return self


@_method
def apply_(self, function):
    """x = function(x) for each element, one Python call each."""
    return self.copy_(_C.tensor([function(v) for v in self.reshape(-1).tolist()], dtype=self.dtype).reshape(self.shape))


@_method
def map_(self, tensor, function):
    """x = function(x, y) for each element of x and the broadcast tensor."""
    other = tensor.expand(self.shape).reshape(-1).tolist()
    values = [function(v, w) for v, w in zip(self.reshape(-1).tolist(), other)]
    return self.copy_(_C.tensor(values, dtype=self.dtype).reshape(self.shape))
