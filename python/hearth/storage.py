"""torch.storage: the memory under tensors, as untyped bytes or as numbers of one dtype."""
import hearth

from ._names import missing
from ._pickle.rebuild import flat_bytes, over


class UntypedStorage:
    """The bytes under a tensor, shared with it. Example: `x.untyped_storage().nbytes()`."""

    is_cuda = is_sparse = is_sparse_csr = False

    def __init__(self, size=0, *, device=None):
        if isinstance(size, hearth.Tensor):
            self._flat = flat_bytes(size)
        elif isinstance(size, int):
            self._flat = hearth.empty(size, dtype=hearth.uint8, device=device)
        else:
            self._flat = hearth.tensor(list(size), dtype=hearth.uint8, device=device)

    @property
    def device(self):
        return self._flat.device

    def nbytes(self) -> int:
        return self._flat.numel()

    size = __len__ = nbytes

    def element_size(self) -> int:
        return 1

    def data_ptr(self) -> int:
        return self._flat.data_ptr()

    @property
    def _cdata(self) -> int:
        return self._flat.data_ptr()

    def untyped(self):
        return self

    def tolist(self) -> list:
        return self._flat.tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, place):
        if isinstance(place, slice):
            return UntypedStorage(self._flat[place].clone())
        return self._flat[place].item()

    def __setitem__(self, place, value):
        self._flat[place] = value

    def clone(self):
        return UntypedStorage(self._flat.clone())

    def cpu(self):
        return self

    def copy_(self, source, non_blocking=None):
        self._flat.copy_(source._flat)
        return self

    def fill_(self, value):
        self._flat.fill_(value)
        return self

    def is_shared(self) -> bool:
        return hearth.multiprocessing.is_shared(self._flat)

    def share_memory_(self):
        hearth.multiprocessing.share_memory(self._flat)
        return self

    def is_pinned(self, device="cuda") -> bool:
        return False

    def __eq__(self, other):
        return isinstance(other, UntypedStorage) and self.data_ptr() == other.data_ptr() and len(self) == len(other)

    __hash__ = object.__hash__

    def __repr__(self):
        rows = "\n ".join(str(value) for value in self.tolist())
        return f" {rows}\n[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"

    def __deepcopy__(self, memo):
        memo[id(self)] = made = self.clone()
        return made

    def __reduce__(self):
        return _from_bytes, (bytes(self.tolist()),)


def _from_bytes(body):
    return UntypedStorage(list(body))


class TypedStorage:
    """The memory under a tensor as numbers of its dtype. Example: `x.storage().size()`."""

    is_cuda = is_sparse = False

    def __init__(self, *, wrap_storage, dtype):
        self._storage, self.dtype = wrap_storage, dtype

    @property
    def _values(self):
        count = self._storage.nbytes() // self.dtype.itemsize
        return over(self._storage._flat, self.dtype, 0, (count,), (1,))

    @property
    def device(self):
        return self._storage.device

    def untyped(self) -> UntypedStorage:
        return self._storage

    _untyped_storage = property(untyped)

    def size(self) -> int:
        return self._storage.nbytes() // self.dtype.itemsize

    __len__ = size

    def nbytes(self) -> int:
        return self._storage.nbytes()

    def element_size(self) -> int:
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        return self._storage.data_ptr()

    _data_ptr, _size = data_ptr, size

    def tolist(self) -> list:
        return self._values.tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, place):
        return self._values[place].item()

    def __setitem__(self, place, value):
        self._values[place] = value

    def fill_(self, value):
        self._values.fill_(value)
        return self

    def clone(self):
        return TypedStorage(wrap_storage=self._storage.clone(), dtype=self.dtype)

    def is_shared(self) -> bool:
        return self._storage.is_shared()

    def __repr__(self):
        rows = "\n ".join(str(value) for value in self.tolist())
        return f" {rows}\n[torch.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


def __getattr__(name):
    raise missing("torch.storage", name, globals())
