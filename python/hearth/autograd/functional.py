"""torch.autograd.functional: vjp, jvp, jacobian, hessian and their products, on functions of tensors."""
from .. import _C
from .._C import Tensor
from .._grad_mode import enable_grad
from . import grad


def _inputs(inputs, create_graph):
    single = isinstance(inputs, Tensor)
    listed = (inputs,) if single else tuple(inputs)
    for i, x in enumerate(listed):
        if not isinstance(x, Tensor):
            raise TypeError(f"The inputs given must be either a Tensor or a tuple of Tensors but the value at index {i} has "
                            f"type {type(x)}.")
    made = tuple((x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_()) for x in listed)
    return single, made


def _call(func, inputs):
    with enable_grad():
        output = func(*inputs)
    single = isinstance(output, Tensor)
    return single, (output,) if single else tuple(output)


def _weights(v, outputs, single, name):
    if v is None:
        if len(outputs) != 1 or outputs[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if the {name} returns a single Tensor with a single element")
        return None
    v = (v,) if single and isinstance(v, Tensor) else tuple(v) if not isinstance(v, Tensor) else (v,)
    if len(v) != len(outputs) or any(a.shape != b.shape for a, b in zip(v, outputs)):
        raise RuntimeError("v has invalid size: should be " + str([list(o.shape) for o in outputs]))
    return v


def _finish(values, single, strict_graph):
    values = tuple(x if strict_graph else x.detach() for x in values)
    return values[0] if single else values


def _grads(outputs, inputs, weights, create_graph, strict=False, what="input"):
    live = [(o, None if weights is None else w) for o, w in zip(outputs, weights or [None] * len(outputs)) if o.requires_grad]
    if not live:
        if strict:
            raise RuntimeError("The output of the user-provided function is independent of the input.")
        return tuple(x.new_zeros(x.shape) for x in inputs)
    found = grad([o for o, _ in live], inputs, None if weights is None else [w for _, w in live], allow_unused=True,
                 create_graph=create_graph, retain_graph=True)
    if strict and any(g is None for g in found):
        raise RuntimeError("The output of the user-provided function is independent of an input.")
    return tuple(x.new_zeros(x.shape) if g is None else g for g, x in zip(found, inputs))


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v^T J)."""
    single_in, xs = _inputs(inputs, create_graph)
    single_out, ys = _call(func, xs)
    weights = _weights(v, ys, single_out, "function")
    found = _grads(ys, xs, weights, create_graph, strict)
    return _finish(ys, single_out, create_graph), _finish(found, single_in, create_graph)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), J v), by differentiating v^T J twice."""
    single_in, xs = _inputs(inputs, create_graph)
    direction = _weights(v, xs, single_in, "function")
    if direction is None:
        direction = tuple(_C.ones_like(x) for x in xs)
    single_out, ys = _call(func, xs)
    dummies = tuple(_C.zeros_like(y).requires_grad_() for y in ys)
    with enable_grad():
        found = _grads(ys, xs, dummies, True, strict)
        total = _grads(found, dummies, direction, create_graph)
    return _finish(ys, single_out, create_graph), _finish(total, single_out, create_graph)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """All derivatives of func's outputs by its inputs: shape output + input, nested in tuples as these are."""
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    single_in, xs = _inputs(inputs, create_graph)
    single_out, ys = _call(func, xs)
    rows = []
    for y in ys:
        flat = y.reshape(-1)
        parts = [_grads([flat[i]], xs, None, create_graph, strict) for i in range(flat.numel())]
        rows.append(tuple(_C.stack([p[k] for p in parts]).reshape(tuple(y.shape) + tuple(x.shape)) if parts
                          else x.new_zeros(tuple(y.shape) + tuple(x.shape)) for k, x in enumerate(xs)))
    rows = tuple(_finish(r, single_in, create_graph) for r in rows)
    return rows[0] if single_out else rows


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """Second derivatives of a function with one number as its output."""
    single_in = isinstance(inputs, Tensor)

    def gradient(*xs):
        y = func(*xs)
        if not isinstance(y, Tensor) or y.numel() != 1:
            raise RuntimeError("The function given to hessian should return a single Tensor with a single element")
        return _grads([y.reshape(())], xs, None, True, strict)

    found = jacobian(gradient, inputs, create_graph, strict)
    return found[0] if single_in else found


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v^T H)."""
    single_in, xs = _inputs(inputs, create_graph)
    weights = _weights(v, xs, single_in, "input")
    single_out, ys = _call(func, xs)
    if not single_out or ys[0].numel() != 1:
        raise RuntimeError("The Tensor returned by the function given to vhp should contain a single element")
    with enable_grad():
        first = _grads(ys, xs, None, True, strict)
        second = _grads(first, xs, weights, create_graph)
    return _finish(ys, True, create_graph), _finish(second, single_in, create_graph)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), H v); H is symmetric, so this is vhp."""
    return vhp(func, inputs, v, create_graph, strict)
