"""torch.masked: reductions and normalizations of the elements that a mask lets through.

`mask` is a bool tensor, broadcast to the input: True takes part. Without a mask everything does.
"""
import builtins
from math import inf, nan

import hearth

__all__ = ["sum", "prod", "cumsum", "cumprod", "amax", "amin", "argmax", "argmin", "mean", "median", "logsumexp",
           "logaddexp", "norm", "var", "std", "softmax", "log_softmax", "softmin", "normalize"]


def _full_mask(input, mask):
    if mask.dim() > input.dim():
        raise IndexError("masked: mask must not have more dimensions than the input: "
                         f"{tuple(mask.shape)}, input {tuple(input.shape)}")
    mask = mask if mask.dtype == hearth.bool else mask != 0
    return mask if mask.shape == input.shape else mask.expand(input.shape)


def _filled(input, mask, value):
    """input with `value` where the mask hides it."""
    if mask is None:
        return input
    return hearth.where(_full_mask(input, mask), input, hearth.tensor(value, dtype=input.dtype))


def _lowest(dtype):
    if _is_float(dtype):
        return -inf
    return False if dtype == hearth.bool else hearth.iinfo(dtype).min


def _highest(dtype):
    if _is_float(dtype):
        return inf
    return True if dtype == hearth.bool else hearth.iinfo(dtype).max


def _dims(dim, rank):
    """The dimensions to reduce, from the front; None and () are all."""
    if dim is None or (not isinstance(dim, int) and not len(dim)):
        return tuple(range(rank))
    dims = []
    for d in (dim,) if isinstance(dim, int) else dim:
        if not -builtins.max(rank, 1) <= d < builtins.max(rank, 1):
            raise IndexError(f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {d})")
        dims.append(d % builtins.max(rank, 1))
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"masked: a dimension appears multiple times in the list of dims: {dim}")
    return tuple(dims)


def _is_float(dtype):
    return dtype.is_floating_point or dtype.is_complex


def _sum_type(input, dtype):
    """What sums and products have: integers and bools become int64."""
    return dtype if dtype is not None else input.dtype if _is_float(input.dtype) else hearth.int64


def _float_type(input, dtype):
    return dtype if dtype is not None else input.dtype if _is_float(input.dtype) else hearth.float32


def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of what the mask lets through; 0 where that is nothing."""
    dtype = _sum_type(input, dtype)
    filled, dims = _filled(input.to(dtype), mask, 0), _dims(dim, input.dim())
    return hearth.sum(filled, dims, bool(keepdim), dtype=dtype) if dims else filled.clone()


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of what the mask lets through; 1 where that is nothing."""
    dtype = _sum_type(input, dtype)
    made = _filled(input.to(dtype), mask, 1)
    for d in sorted(_dims(dim, input.dim()), reverse=True):
        made = made.prod(d, keepdim=bool(keepdim))
    return made.to(dtype) if input.dim() else made.clone()


def cumsum(input, dim, *, dtype=None, mask=None):
    """The running sum of what the mask lets through."""
    dtype = input.dtype if dtype is None else dtype
    return _filled(input.to(dtype), mask, 0).cumsum(_dims(dim, input.dim())[0] if input.dim() else 0, dtype=dtype)


def cumprod(input, dim, *, dtype=None, mask=None):
    """The running product of what the mask lets through."""
    dtype = input.dtype if dtype is None else dtype
    return _filled(input.to(dtype), mask, 1).cumprod(_dims(dim, input.dim())[0] if input.dim() else 0, dtype=dtype)


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest of what the mask lets through; the lowest number of the dtype where that is nothing."""
    x = input if dtype is None else input.to(dtype)
    return hearth.amax(_filled(x, mask, _lowest(x.dtype)), _dims(dim, x.dim()), bool(keepdim))


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest of what the mask lets through; the highest number of the dtype where that is nothing."""
    x = input if dtype is None else input.to(dtype)
    return hearth.amin(_filled(x, mask, _highest(x.dtype)), _dims(dim, x.dim()), bool(keepdim))


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the largest of what the mask lets through lies, in the input's dtype; without dim in the flattened input."""
    x = input if dtype is None else input.to(dtype)
    return hearth.argmax(_filled(x, mask, _lowest(x.dtype)), dim, bool(keepdim)).to(x.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the smallest of what the mask lets through lies, in the input's dtype; without dim in the flattened input."""
    x = input if dtype is None else input.to(dtype)
    return hearth.argmin(_filled(x, mask, _highest(x.dtype)), dim, bool(keepdim)).to(x.dtype)


def _counts(input, dim, keepdim, mask):
    ones = hearth.ones(input.shape, dtype=hearth.int64)
    return sum(ones, dim, keepdim=keepdim, mask=mask)


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of what the mask lets through; NaN where that is nothing."""
    dtype = _float_type(input, dtype)
    if mask is None:
        return hearth.mean(input, _dims(dim, input.dim()), bool(keepdim), dtype=dtype)
    return sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask) / _counts(input, dim, keepdim, mask)


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The lower median of what the mask lets through."""
    dtype = input.dtype if dtype is None else dtype
    dim = _dims(dim, input.dim())[0] if input.dim() else 0
    floating = dtype.is_floating_point
    x = input.to(dtype) if floating else input.to(hearth.float32)
    if mask is None:
        made = hearth.median(x, dim, keepdim).values
    else:
        made = hearth.nanmedian(_filled(x, mask, nan), dim, keepdim).values
    if floating:
        return made
    if bool(made.isnan().any()):
        raise ValueError("masked median expected no fully masked out rows if dtype is not floating point")
    return made.to(dtype)


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log of the sum of exponentials of what the mask lets through."""
    dtype = input.dtype if dtype is None else dtype
    x = input.to(dtype)
    return hearth.logsumexp(_filled(x, mask, _lowest(dtype)), _dims(dim, x.dim()), bool(keepdim)).to(dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """logaddexp of two inputs, -inf standing for what a mask hides."""
    dtype = input.dtype if dtype is None else dtype
    a, b = _filled(input.to(dtype), input_mask, -inf), _filled(other.to(dtype), other_mask, -inf)
    return hearth.logaddexp(a, b).to(dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The vector norm of what the mask lets through."""
    dtype = _float_type(input, dtype)
    x = _filled(input.to(dtype), mask, inf if ord == -inf else 0)
    return hearth.linalg.vector_norm(x, 2.0 if ord is None else ord, _dims(dim, x.dim()), bool(keepdim), dtype=dtype)


def _spread(input, dim, unbiased, correction, keepdim, dtype, mask):
    if unbiased is not None and correction is not None:
        raise ValueError("masked: give unbiased or correction, not both")
    correction = (1 if unbiased is None else int(unbiased)) if correction is None else correction
    dtype = _float_type(input, dtype)
    x = input.to(dtype)
    count = _counts(x, dim, True, mask)
    mean = sum(x, dim, keepdim=True, dtype=dtype, mask=mask) / count
    apart = x - mean
    squares = (apart * apart.conj()) if x.is_complex() else apart * apart
    total = sum(squares, dim, keepdim=keepdim, dtype=None, mask=mask)
    count = count.reshape(total.shape)
    if correction:
        real = total.real.dtype if total.is_complex() else total.dtype
        count = (count.to(real) - correction).clamp_min(0)
    return (total / count).to(dtype)


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of what the mask lets through."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The standard deviation of what the mask lets through."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask).sqrt()


def softmax(input, dim, *, dtype=None, mask=None):
    """softmax of what the mask lets through; 0 elsewhere, NaN in rows without any."""
    x = input if dtype is None else input.to(dtype)
    return hearth.softmax(_filled(x, mask, -inf), _dims(dim, x.dim())[0] if x.dim() else 0, dtype=dtype)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """log_softmax of what the mask lets through."""
    x = input if dtype is None else input.to(dtype)
    return hearth.log_softmax(_filled(x, mask, -inf), _dims(dim, x.dim())[0] if x.dim() else 0, dtype=dtype)


def softmin(input, dim, *, dtype=None, mask=None):
    """softmax of the negated input."""
    x = input if dtype is None else input.to(dtype)
    return hearth.softmax(-_filled(x, mask, inf), _dims(dim, x.dim())[0] if x.dim() else 0, dtype=dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """What the mask lets through divided by its norm along dim, which counts as eps at least."""
    dtype = _float_type(input, dtype)
    x = _filled(input.to(dtype), mask, 0)
    return x / norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask).clamp_min(eps)
