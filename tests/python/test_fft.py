"""torch.fft, stft and istft: NumPy's values, out=, errors."""
import numpy
import pytest

import hearth

RNG = numpy.random.default_rng(0)
X = RNG.standard_normal((4, 6, 5))
Z = X + 1j * RNG.standard_normal(X.shape)


def close(got, expected, tolerance=1e-12):
    assert got.shape == expected.shape
    numpy.testing.assert_allclose(got.numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("norm", [None, "backward", "forward", "ortho"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dimension(name, norm):
    x = X if name in ("rfft", "ihfft") else Z
    for n, dim in ((None, -1), (7, 0), (3, 1)):
        expected = getattr(numpy.fft, name)(x, n, dim, norm)
        close(getattr(hearth.fft, name)(hearth.from_numpy(x), n, dim, norm), expected)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"])
def test_several_dimensions(name):
    x = X if name.startswith("r") else Z
    function, numpys = getattr(hearth.fft, name), getattr(numpy.fft, name)
    close(function(hearth.from_numpy(x), norm="ortho"), numpys(x, norm="ortho"))
    close(function(hearth.from_numpy(x), (3, 8), (0, 2)), numpys(x, (3, 8), (0, 2)))


def test_hermitian_forms_invert_each_other():
    x = hearth.from_numpy(X)
    close(hearth.fft.hfftn(hearth.fft.ihfftn(x), s=X.shape), X)
    close(hearth.fft.hfft2(hearth.fft.ihfft2(x), s=X.shape[1:]), X)


def test_shifts_and_frequencies():
    x = hearth.arange(15).reshape(3, 5)
    close(hearth.fft.fftshift(x), numpy.fft.fftshift(x.numpy()))
    close(hearth.fft.ifftshift(x, dim=1), numpy.fft.ifftshift(x.numpy(), 1))
    for n in (1, 4, 5):
        close(hearth.fft.fftfreq(n, 0.5, dtype=hearth.float64), numpy.fft.fftfreq(n, 0.5))
        close(hearth.fft.rfftfreq(n, 0.5, dtype=hearth.float64), numpy.fft.rfftfreq(n, 0.5))
    assert hearth.fft.fftfreq(3).dtype == hearth.float32


def test_kinds_out_and_gradients():
    assert hearth.fft.fft(hearth.arange(4)).dtype == hearth.complex64
    out = hearth.empty(0, dtype=hearth.complex128)
    assert hearth.fft.fft(hearth.from_numpy(X), out=out) is out
    close(out, numpy.fft.fft(X))
    x = hearth.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    hearth.fft.rfft(x).abs().square().sum().backward()
    close(x.grad, numpy.array([12.0, 20.0, 20.0, 28.0], numpy.float32), 1e-6)


def test_errors():
    with pytest.raises(RuntimeError, match="real"):
        hearth.fft.rfft(hearth.from_numpy(Z))
    with pytest.raises(RuntimeError, match="norm"):
        hearth.fft.fft(hearth.ones(3), norm="best")
    with pytest.raises(IndexError):
        hearth.fft.fft(hearth.ones(3), dim=1)
    with pytest.raises(RuntimeError, match="twice"):
        hearth.fft.fftn(hearth.ones(3, 3), dim=(0, -2))
    with pytest.raises(RuntimeError):
        hearth.fft.fft(hearth.ones(3, dtype=hearth.float16))


def test_short_time_transforms():
    x, window = hearth.from_numpy(RNG.standard_normal(100)), hearth.from_numpy(numpy.hanning(18)[1:-1].copy())
    y = hearth.stft(x, 16, hop_length=4, window=window, return_complex=True)
    assert y.shape == (9, 26)
    padded = numpy.pad(x.numpy(), 8, "reflect")
    close(y[:, 5], numpy.fft.rfft(padded[20:36] * window.numpy()))
    close(hearth.istft(y, 16, hop_length=4, window=window, length=100), x.numpy())
    assert hearth.stft(x, 16, return_complex=False).shape == (9, 26, 2)
    with pytest.raises(RuntimeError, match="return_complex"):
        hearth.stft(x, 16)
