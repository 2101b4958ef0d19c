"""torch.autograd: backward, grad and what programs hang on them."""
from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: F401


def _as_list(value):
    return [value] if isinstance(value, Tensor) else list(value)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Adds d tensors / d leaf, weighted by grad_tensors, to the `grad` of every leaf."""
    tensors = _as_list(tensors)
    grads = [None] * len(tensors) if grad_tensors is None else _as_list(grad_tensors) if not isinstance(grad_tensors, (tuple, list)) else list(grad_tensors)
    _C._backward(tensors, grads, bool(create_graph if retain_graph is None else retain_graph), bool(create_graph))


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True,
         allow_unused=None, is_grads_batched=False, materialize_grads=False):
    """d outputs / d inputs, weighted by grad_outputs; leaves every `grad` alone."""
    if allow_unused is None:
        allow_unused = materialize_grads
    outputs, inputs = _as_list(outputs), _as_list(inputs)
    grads = [None] * len(outputs) if grad_outputs is None else _as_list(grad_outputs)
    result = _C._grad(outputs, inputs, grads, bool(create_graph if retain_graph is None else retain_graph),
                      bool(create_graph), bool(allow_unused))
    if materialize_grads:
        result = tuple(_C.zeros(x.shape, dtype=x.dtype) if g is None else g for x, g in zip(inputs, result))
    return result
