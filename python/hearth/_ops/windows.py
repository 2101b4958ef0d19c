"""Window functions of fixed shapes: torch.hann_window and the others (torch.signal.windows has more)."""
import math

from .. import _C
from .._function import _package as hearth, function


def _options(length, dtype, layout, device, name):
    dtype = hearth.get_default_dtype() if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if dtype.is_complex:
        raise RuntimeError(f"{name} does not support complex dtypes, got: {dtype}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    return dict(dtype=dtype, layout=layout, device=device)


def _window(name, length, periodic, dtype, layout, device, requires_grad, shape):
    """shape(k, last) gives the weights at the places k of a window whose end lies at `last`."""
    options = _options(length, dtype, layout, device, name)
    if length == 0:
        return hearth.empty(0, requires_grad=requires_grad, **options)
    if length == 1:
        return hearth.ones(1, requires_grad=requires_grad, **options)
    last = length if periodic else length - 1
    made = shape(hearth.arange(length, dtype=_C.float64), last).to(options["dtype"])
    return made.requires_grad_(requires_grad)


@function()
def hann_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False,
                requires_grad=False):
    """0.5 - 0.5 cos(2 pi k / N)."""
    return _window("hann_window", window_length, periodic, dtype, layout, device, requires_grad,
                   lambda k, n: 0.5 - 0.5 * (k * (2 * math.pi / n)).cos())


@function()
def hamming_window(window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, layout=None, device=None,
                   pin_memory=False, requires_grad=False):
    """alpha - beta cos(2 pi k / N)."""
    return _window("hamming_window", window_length, periodic, dtype, layout, device, requires_grad,
                   lambda k, n: alpha - beta * (k * (2 * math.pi / n)).cos())


@function()
def blackman_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False,
                    requires_grad=False):
    """0.42 - 0.5 cos(2 pi k / N) + 0.08 cos(4 pi k / N)."""
    return _window("blackman_window", window_length, periodic, dtype, layout, device, requires_grad,
                   lambda k, n: 0.42 - 0.5 * (k * (2 * math.pi / n)).cos() + 0.08 * (k * (4 * math.pi / n)).cos())


@function()
def bartlett_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False,
                    requires_grad=False):
    """1 - |2 k / N - 1|."""
    return _window("bartlett_window", window_length, periodic, dtype, layout, device, requires_grad,
                   lambda k, n: 1 - (k * (2 / n) - 1).abs())


@function()
def kaiser_window(window_length, periodic=True, beta=12.0, *, dtype=None, layout=None, device=None, pin_memory=False,
                  requires_grad=False):
    """i0(beta sqrt(1 - (2 k / N - 1)^2)) / i0(beta)."""
    return _window("kaiser_window", window_length, periodic, dtype, layout, device, requires_grad,
                   lambda k, n: (beta * (1 - (k * (2 / n) - 1) ** 2).clamp(min=0).sqrt()).i0()
                   / hearth.tensor(beta, dtype=_C.float64).i0())
