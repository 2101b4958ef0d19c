"""torch.autograd: backward, grad and what programs hang on them."""
from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled  # noqa: F401
from .anomaly_mode import detect_anomaly, set_detect_anomaly  # noqa: F401
from .function import Function, NestedIOFunction  # noqa: F401


_final_callbacks = []  # called once, at the end of the backward that is running


def _as_list(value):
    return [value] if isinstance(value, Tensor) else list(value)


def _weights(outputs, grads, create_graph, op):
    """A gradient for each output; one left out is 1 and needs a one-element output."""
    if grads is None:
        return [None] * len(outputs)
    grads = _as_list(grads)
    if len(grads) != len(outputs):
        raise RuntimeError(f"{op}: got {len(outputs)} tensors and {len(grads)} gradients")
    for y, g in zip(outputs, grads):
        if g is None:
            continue
        if not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        if g.shape != y.shape:
            raise RuntimeError(f"Mismatch in shape: grad_output has a shape of {tuple(g.shape)} and output has a shape of "
                               f"{tuple(y.shape)}.")
        if g.is_complex() != y.is_complex():
            raise RuntimeError(f"{op}: for complex Tensors, both grad_output and output are required to have the same dtype: "
                               f"{g.dtype} and {y.dtype}")
    return grads


def _check_scalar(outputs, grads):
    for y, g in zip(outputs, grads):
        if g is None and y.requires_grad:
            if y.numel() != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if not y.dtype.is_floating_point:
                raise RuntimeError("grad can be implicitly created only for real scalar outputs but got " + str(y.dtype))


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Adds d tensors / d leaf, weighted by grad_tensors, to the `grad` of every leaf (or only of `inputs`)."""
    if grad_tensors is None:
        grad_tensors = grad_variables
    tensors = _as_list(tensors)
    if not tensors:
        return
    grads = _weights(tensors, grad_tensors, create_graph, "backward")
    _check_scalar(tensors, grads)
    retain = bool(create_graph if retain_graph is None else retain_graph)
    if inputs is None:
        _C._backward(tensors, grads, retain, bool(create_graph))
        while _final_callbacks:
            _final_callbacks.pop(0)()
        return
    inputs = _as_list(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    found = _C._grad(tensors, inputs, grads, retain, bool(create_graph), True)
    with set_grad_enabled(bool(create_graph)):
        for x, g in zip(inputs, found):
            if g is not None:
                x.grad = (g if create_graph else g.detach()) if x.grad is None else x.grad + g


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True,
         allow_unused=None, is_grads_batched=False, materialize_grads=False):
    """d outputs / d inputs, weighted by grad_outputs; leaves every `grad` alone. With is_grads_batched the weights have
    one more dimension in front, and so have the results."""
    if allow_unused is False and materialize_grads:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
                         "allow_unused=False.")
    allow = bool(materialize_grads if allow_unused is None else allow_unused)
    if not only_inputs:
        raise ValueError("grad: only_inputs=False is not supported any more: use backward()")
    outputs, inputs = _as_list(outputs), _as_list(inputs)
    retain = bool(create_graph if retain_graph is None else retain_graph)
    if is_grads_batched:
        result = _batched(outputs, inputs, _as_list(grad_outputs), create_graph, allow)
    else:
        grads = _weights(outputs, grad_outputs, create_graph, "grad")
        _check_scalar(outputs, grads)
        result = _C._grad(outputs, inputs, grads, retain, bool(create_graph), allow)
    if materialize_grads:
        result = tuple(x.new_zeros(x.shape) if g is None else g for x, g in zip(inputs, result))
    return result


def _batched(outputs, inputs, grads, create_graph, allow):
    count = next(g for g in grads if g is not None).shape[0]
    rows = [_C._grad(outputs, inputs, [None if g is None else g[i] for g in grads], True, bool(create_graph), allow)
            for i in range(count)]
    return tuple(None if all(r[k] is None for r in rows) else
                 _C.stack([r[k] if r[k] is not None else x.new_zeros(x.shape) for r in rows])
                 for k, x in enumerate(inputs))


def Variable(data, requires_grad=False, volatile=None):
    """The old name of a tensor with a gradient."""
    made = data.detach() if isinstance(data, Tensor) and requires_grad != data.requires_grad else data
    return made.requires_grad_(requires_grad) if requires_grad else made


def __getattr__(name):
    if name in ("functional", "forward_ad", "graph", "profiler", "gradcheck", "grad_mode", "variable", "anomaly_mode"):
        from importlib import import_module

        module = import_module(f"{__name__}.{name}")
        if name == "gradcheck":
            globals()["gradcheck"] = module.gradcheck
            return module.gradcheck
        return module
    if name == "gradgradcheck":
        from .gradcheck import gradgradcheck

        return gradgradcheck
    from .._names import missing

    raise missing("torch.autograd", name, list(globals()))
