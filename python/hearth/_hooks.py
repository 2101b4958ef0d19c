"""Hooks on tensors: on their gradient, and on a leaf after its grad was added to."""
from itertools import count as _count

from . import _C
from ._C import Tensor

_ids = _count(1)


class TensorHook:
    """Removes a tensor's hook."""

    def __init__(self, remove):
        self._remove = remove

    def remove(self):
        """Takes the hook away; a second call does nothing."""
        remove, self._remove = self._remove, None
        if remove is not None:
            remove()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def register_hook(self, hook):
    """Calls hook(gradient) when this tensor's gradient is known; a tensor that it returns replaces the gradient."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    number = _C._register_hook(self, hook)
    return TensorHook(lambda: _C._remove_hook(self, number))


def register_post_accumulate_grad_hook(self, hook):
    """Calls hook(leaf) after backward has added to its grad."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self.grad_fn is not None:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    number = next(_ids)
    _C._register_accumulate_hook(self, hook, number)
    return TensorHook(lambda: _C._remove_accumulate_hook(self, number))


Tensor.register_hook = register_hook
Tensor.register_post_accumulate_grad_hook = register_post_accumulate_grad_hook
