"""Parameters as one vector, and back."""

import hearth

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters):
    """All parameters, flattened, one after the other [total]."""
    return hearth.cat([p.view(-1) for p in _on_one_device(parameters)])


def vector_to_parameters(vec, parameters) -> None:
    """Make each parameter's data the next part of `vec`. Raises TypeError for what is no tensor."""
    if not isinstance(vec, hearth.Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__module__}.{type(vec).__qualname__}")
    start = 0
    for p in _on_one_device(parameters):
        count = p.numel()
        p.data = vec[start : start + count].view_as(p).data
        start += count


def _on_one_device(parameters):
    device = None
    for p in parameters:
        if device is None:
            device = p.device
        elif p.device != device:
            raise TypeError("Found two parameters on different devices, this is currently not supported.")
        yield p
