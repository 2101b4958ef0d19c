"""Small questions about tensors: is_tensor, is_storage, numel and the like."""
from .._C import Tensor
from .._function import _package


def is_tensor(obj):
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


_package.is_tensor = is_tensor
