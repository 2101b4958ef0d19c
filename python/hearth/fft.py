"""torch.fft: discrete Fourier transforms."""
from ._C import (  # noqa: F401
    _fft_fft as fft, _fft_fft2 as fft2, _fft_fftn as fftn, _fft_fftshift as fftshift, _fft_hfft as hfft,
    _fft_hfft2 as hfft2, _fft_hfftn as hfftn, _fft_ifft as ifft, _fft_ifft2 as ifft2, _fft_ifftn as ifftn,
    _fft_ifftshift as ifftshift, _fft_ihfft as ihfft, _fft_ihfft2 as ihfft2, _fft_ihfftn as ihfftn,
    _fft_irfft as irfft, _fft_irfft2 as irfft2, _fft_irfftn as irfftn, _fft_rfft as rfft, _fft_rfft2 as rfft2,
    _fft_rfftn as rfftn,
)
from ._function import _package


def _frequencies(name, n, numbers, dtype, d, layout, device, requires_grad, out):
    if n < 0:
        raise RuntimeError(f"{name}: n must not be negative: {n}")
    like = {} if out is None else {"dtype": out.dtype}
    if dtype is not None:
        like["dtype"] = dtype
    made = numbers(like) * (1.0 / (n * d) if n * d else float("inf"))
    if out is not None:
        return out.resize_(made.shape).copy_(made)
    made = made if device is None else made.to(device)
    return made.requires_grad_() if requires_grad else made


def fftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of fft's values for n points at distance d."""
    def numbers(like):
        like.setdefault("dtype", _package.get_default_dtype())
        return _package.cat([_package.arange(0, (n + 1) // 2, **like), _package.arange(-(n // 2), 0, **like)])

    return _frequencies("fftfreq", n, numbers, dtype, d, layout, device, requires_grad, out)


def rfftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies of rfft's values for n points at distance d."""
    def numbers(like):
        like.setdefault("dtype", _package.get_default_dtype())
        return _package.arange(0, n // 2 + 1, **like)

    return _frequencies("rfftfreq", n, numbers, dtype, d, layout, device, requires_grad, out)
