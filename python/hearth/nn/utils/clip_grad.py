"""Clipping of gradients by their norm and by value."""

import math
import warnings

import hearth

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(parameters):
    if isinstance(parameters, hearth.Tensor):
        return [parameters]
    parameters = list(parameters)
    if not parameters:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    return parameters


def _grads(parameters):
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach=None):
    """The norm (0-dim) of all tensors taken as one vector. Raises RuntimeError when asked to and it is not finite."""
    tensors = [tensors] if isinstance(tensors, hearth.Tensor) else list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return hearth.tensor(0.0)
    with hearth.no_grad():
        first = tensors[0]
        norms = [hearth.linalg.vector_norm(t, norm_type).to(first.device) for t in tensors]
        total = hearth.linalg.vector_norm(hearth.stack(norms), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(parameters, max_norm: float, total_norm, foreach=None) -> None:
    """Scale the gradients in place by max_norm / (total_norm + 1e-6), at most 1."""
    parameters = [parameters] if isinstance(parameters, hearth.Tensor) else list(parameters)
    grads = _grads(parameters)
    if not grads:
        return
    with hearth.no_grad():
        factor = hearth.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
        for g in grads:
            g.mul_(factor.to(g.device))


def clip_grad_norm_(
    parameters, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach=None
):
    """Scale the gradients in place so that their norm is at most max_norm; returns the norm before.

    Example: clip_grad_norm_(model.parameters(), 1.0)
    """
    parameters = _listed(parameters)
    total = get_total_norm(_grads(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The old name of clip_grad_norm_."""
    warnings.warn(
        "torch.nn.utils.clip_grad_norm is now deprecated in favor of torch.nn.utils.clip_grad_norm_.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters, clip_value: float, foreach=None) -> None:
    """Cut every element of the gradients, in place, to [-clip_value, clip_value]."""
    parameters = [parameters] if isinstance(parameters, hearth.Tensor) else list(parameters)
    clip_value = float(clip_value)
    with hearth.no_grad():
        for g in _grads(parameters):
            g.clamp_(min=-clip_value, max=clip_value)
