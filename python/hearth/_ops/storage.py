"""The memory under a tensor: storages, sharing it with other processes."""
from .._C import Tensor


def _face(function):
    setattr(Tensor, function.__name__, function)
    return function


@_face
def untyped_storage(self):
    """The bytes under the tensor."""
    from ..storage import UntypedStorage

    return UntypedStorage(self)


@_face
def storage(self):
    """The memory under the tensor, as numbers of its dtype."""
    from ..storage import TypedStorage, UntypedStorage

    return TypedStorage(wrap_storage=UntypedStorage(self), dtype=self.dtype)


@_face
def share_memory_(self):
    """Moves the tensor into memory that child processes share, in place."""
    from ..multiprocessing import share_memory

    return share_memory(self)


@_face
def is_shared(self):
    """Whether the tensor lies in memory that child processes share."""
    from ..multiprocessing import is_shared as asked

    return asked(self)
