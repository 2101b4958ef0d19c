"""Finite differences: what gradients are compared with."""
import hearth


def numeric_gradient(f, inputs, which, step=1e-6):
    """d f(*inputs).sum() / d inputs[which] by central differences, in float64."""
    x = inputs[which].detach().clone()
    flat, slopes = x.reshape(-1), []
    for i in range(flat.numel()):
        kept = flat[i].item()
        values = []
        for moved in (kept + step, kept - step):
            flat[i] = moved
            values.append(f(*[x if k == which else v.detach() for k, v in enumerate(inputs)]))
        flat[i] = kept
        # Element by element first: a large one must not drown the others.
        slopes.append((values[0] - values[1]).sum().item() / (2 * step))
    return hearth.tensor(slopes, dtype=hearth.float64).reshape(inputs[which].shape)


def check_gradients(f, *values, rtol=1e-5, atol=1e-6):
    """Compares autograd's gradients of f at float64 `values` with finite differences."""
    inputs = [hearth.tensor(v, dtype=hearth.float64, requires_grad=True) for v in values]
    f(*inputs).sum().backward()
    for which, x in enumerate(inputs):
        wanted = numeric_gradient(f, inputs, which)
        assert x.grad is not None and hearth.allclose(x.grad, wanted, rtol=rtol, atol=atol), (which, x.grad, wanted)
