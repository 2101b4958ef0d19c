"""The standard's fft extension over hearth.fft."""
import hearth

from ._array import Array, tensor_of
from ._elementwise import one
from ._shapes import axes_of

__all__ = "fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift".split()


def _along(name, kind, doc):
    def function(x, /, *, n=None, axis=-1, norm="backward"):
        return Array(getattr(hearth.fft, name)(one(x, name, kind), n=n, dim=axis, norm=norm))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _over(name, kind, doc):
    def function(x, /, *, s=None, axes=None, norm="backward"):
        return Array(getattr(hearth.fft, name)(one(x, name, kind), s=s, dim=axes, norm=norm))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


fft = _along("fft", "floating", "The discrete Fourier transform along an axis, of n points.")
ifft = _along("ifft", "floating", "The inverse of fft.")
rfft = _along("rfft", "real floating", "The half of fft that real numbers have.")
irfft = _along("irfft", "floating", "The inverse of rfft; n is the size of the result.")
hfft = _along("hfft", "floating", "The transform of what is Hermitian, real; n is the size of the result.")
ihfft = _along("ihfft", "real floating", "The inverse of hfft.")
fftn = _over("fftn", "floating", "The discrete Fourier transform over several axes.")
ifftn = _over("ifftn", "floating", "The inverse of fftn.")
rfftn = _over("rfftn", "real floating", "The half of fftn that real numbers have.")
irfftn = _over("irfftn", "floating", "The inverse of rfftn; s are the sizes of the result.")


def _frequencies(numbers, n, d, dtype):
    dtype = hearth.get_default_dtype() if dtype is None else dtype
    if dtype not in (hearth.float32, hearth.float64):
        raise ValueError(f"fftfreq: a real floating type is needed: got {dtype}")
    return Array((numbers.to(hearth.float64) / (n * d)).to(dtype))


def fftfreq(n, /, *, d=1.0, dtype=None, device=None):
    """The frequencies of the n points of fft, for samples that are d apart."""
    numbers = hearth.arange(n, device=device)
    return _frequencies(hearth.where(numbers < (n + 1) // 2, numbers, numbers - n), n, d, dtype)


def rfftfreq(n, /, *, d=1.0, dtype=None, device=None):
    """The frequencies of the points of rfft, for n samples that are d apart."""
    return _frequencies(hearth.arange(n // 2 + 1, device=device), n, d, dtype)


def _shift(x, axes, op, step):
    tensor = tensor_of(x, op)
    for axis in axes_of(tuple(axes) if isinstance(axes, list) else axes, tensor.dim(), op):
        tensor = hearth.roll(tensor, step(tensor.shape[axis]), axis)
    return Array(tensor)


def fftshift(x, /, *, axes=None):
    """x with frequency zero moved to the middle of these axes."""
    return _shift(x, axes, "fftshift", lambda size: size // 2)


def ifftshift(x, /, *, axes=None):
    """The inverse of fftshift."""
    return _shift(x, axes, "ifftshift", lambda size: -(size // 2))
