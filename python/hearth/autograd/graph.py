"""torch.autograd.graph: the nodes of the graph and hooks on them and on what they save."""
from itertools import count as _count

from .. import _C
from .._C import Node, Tensor
from .._hooks import TensorHook as RemovableHandle

_ids = _count(1)


def _register_hook(self, fn):
    """Calls fn(gradients of the inputs, gradients of the outputs) after backward of this node; may replace the former."""
    number = next(_ids)
    _C._register_node_hook(self, fn, number)
    return RemovableHandle(lambda: _C._remove_node_hook(self, number))


def _register_prehook(self, fn):
    """Calls fn(gradients of the outputs) before backward of this node; may replace them."""
    number = next(_ids)
    _C._register_node_prehook(self, fn, number)
    return RemovableHandle(lambda: _C._remove_node_hook(self, number))


Node.register_hook = _register_hook
Node.register_prehook = _register_prehook


class saved_tensors_hooks:
    """A block in which what backward keeps is given to `pack_hook`, and got back from `unpack_hook`."""

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self):
        _C._push_saved_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *_):
        _C._pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keeps copies in main memory, where everything is on a CPU anyway."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda x: x.clone() if not x.requires_grad else x, lambda x: x)


class disable_saved_tensors_hooks:
    """A block in which saved_tensors_hooks raises `error_message`."""

    def __init__(self, error_message):
        self.error_message = error_message

    def __enter__(self):
        def refuse(_):
            raise RuntimeError(self.error_message)

        self._before = saved_tensors_hooks.__enter__

        def enter(_):
            raise RuntimeError(self.error_message)

        saved_tensors_hooks.__enter__ = enter

    def __exit__(self, *_):
        saved_tensors_hooks.__enter__ = self._before


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Calls fn with all gradients of `tensors` once they are there ("all"), or with the first one ("any")."""
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: mode must be 'all' or 'any': got {mode!r}")
    tensors = tuple(tensors)
    state = {"grads": [None] * len(tensors), "seen": 0, "called": False}

    def hook_for(i):
        def hook(gradient):
            if mode == "any":
                if not state["called"]:
                    state["called"] = True
                    fn(gradient)
                return
            state["grads"][i] = gradient
            state["seen"] += 1
            if state["seen"] == len(tensors):
                grads, state["grads"], state["seen"] = state["grads"], [None] * len(tensors), 0
                fn(grads)

        return hook

    handles = [t.register_hook(hook_for(i)) for i, t in enumerate(tensors)]
    return RemovableHandle(lambda: [h.remove() for h in handles])


def increment_version(tensor):
    """Counts an in-place write that hearth did not see."""
    for t in [tensor] if isinstance(tensor, Tensor) else tensor:
        _C._bump_version(t)


class allow_mutation_on_saved_tensors(saved_tensors_hooks):
    """A block in which what backward needs may be written in place: copies are kept."""

    def __init__(self):
        super().__init__(lambda x: x.clone(), lambda x: x)


GradientEdge = tuple


def get_gradient_edge(tensor):
    """The node and output number behind a tensor."""
    return (tensor.grad_fn, tensor.output_nr)


__all__ = ["Node", "RemovableHandle", "saved_tensors_hooks", "save_on_cpu", "disable_saved_tensors_hooks",
           "register_multi_grad_hook", "increment_version", "allow_mutation_on_saved_tensors", "get_gradient_edge"]
