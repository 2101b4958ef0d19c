"""torch.testing: whether results are close, with a message that says where they are not; random tensors for tests."""
from .closeness import assert_allclose, assert_close
from .creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
