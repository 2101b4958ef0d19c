"""Creation and conversion: sizes, dtypes, ranges, layouts, sharing memory, legacy types, limits of dtypes."""
import array
import math

import pytest

import hearth as torch


def test_sizes_and_options():
    for make, value in ((torch.zeros, 0), (torch.ones, 1)):
        assert make(2, 3).tolist() == [[value] * 3] * 2 and make((2,), dtype=torch.int8).dtype == torch.int8
        assert make(torch.Size([1]), requires_grad=True).requires_grad and make(()).shape == ()
    assert torch.empty(2, 0, 3).numel() == 0 and torch.empty(3, device="cpu", pin_memory=False).shape == (3,)
    assert torch.full((2,), 7).dtype == torch.int64 and torch.full((2,), 7.0).dtype == torch.float32
    assert torch.full((2,), True).dtype == torch.bool and torch.full((1,), 1j).dtype == torch.complex64
    assert torch.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]] and torch.scalar_tensor(3).dtype == torch.float32
    out = torch.empty(0, dtype=torch.int64)
    assert torch.zeros(2, out=out) is out and out.tolist() == [0, 0]


REFUSED = [
    (RuntimeError, lambda: torch.zeros(-1)), (AssertionError, lambda: torch.zeros(1, device="cuda")),
    (NotImplementedError, lambda: torch.zeros(1, layout=torch.sparse_coo)),
    (RuntimeError, lambda: torch.zeros(1, pin_memory=True)), (TypeError, lambda: torch.zeros("2")),
    (TypeError, lambda: torch.zeros(2, colour=1)), (RuntimeError, lambda: torch.arange(0, 3, 0)),
    (RuntimeError, lambda: torch.arange(3, 0)), (RuntimeError, lambda: torch.linspace(0, 1, -1)),
    (RuntimeError, lambda: torch.eye(-1)), (RuntimeError, lambda: torch.empty_strided((2,), (-1,))),
    (RuntimeError, lambda: torch.empty_permuted((2, 3), (0, 0))), (RuntimeError, lambda: torch.tril_indices(-1, 2)),
    (RuntimeError, lambda: torch.ones(2, dtype=torch.int64, requires_grad=True)),
    (AssertionError, lambda: torch.ones(2).cuda()), (AssertionError, lambda: torch.ones(2).to("cuda")),
    (ValueError, lambda: torch.tensor([[1, 2], [3]])), (TypeError, lambda: torch.tensor("text")),
    (RuntimeError, lambda: torch.ones(2, 2).contiguous(memory_format=torch.channels_last)),
    (ValueError, lambda: torch.frombuffer(b"abc", dtype=torch.int16)),
    (ValueError, lambda: torch.frombuffer(bytearray(4), dtype=torch.int32, offset=4)),
    (TypeError, lambda: torch.finfo(torch.int32)), (TypeError, lambda: torch.iinfo(torch.float32)),
    (TypeError, lambda: torch.LongTensor(torch.ones(2))), (TypeError, lambda: torch.set_default_dtype(torch.int64)),
]


@pytest.mark.parametrize("error, call", REFUSED)
def test_what_is_refused(error, call):
    with pytest.raises(error):
        call()


def test_ranges():
    assert torch.arange(3).tolist() == [0, 1, 2] and torch.arange(3).dtype == torch.int64
    assert torch.arange(1, 2, 0.25).tolist() == [1, 1.25, 1.5, 1.75] and torch.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert torch.range(1, 3).tolist() == [1, 2, 3]
    assert torch.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1] and torch.linspace(3, 9, 1).tolist() == [3]
    assert torch.linspace(torch.tensor(0.0), 2, 3).tolist() == [0, 1, 2]
    assert torch.linspace(0, 10, 4, dtype=torch.int64).tolist() == [0, 3, 6, 10]
    assert torch.linspace(0, 1 + 2j, 3).tolist() == [0j, 0.5 + 1j, 1 + 2j]
    assert torch.logspace(0, 2, 3).tolist() == [1, 10, 100] and torch.logspace(0, 3, 4, base=2).tolist() == [1, 2, 4, 8]
    assert torch.tril_indices(3, 2).tolist() == [[0, 1, 1, 2, 2], [0, 0, 1, 0, 1]]
    assert torch.triu_indices(2, 3, 1).tolist() == [[0, 0, 1], [1, 2, 2]]


def test_alike():
    x = torch.ones(2, 3, dtype=torch.float64).t()
    assert torch.zeros_like(x).stride() == x.stride() and torch.zeros_like(x).dtype == torch.float64
    assert torch.ones_like(x, memory_format=torch.contiguous_format).is_contiguous()
    assert torch.full_like(x, 5, dtype=torch.int32).tolist() == [[5, 5]] * 3
    assert x.new_zeros(2).dtype == torch.float64 and x.new_full((2,), 3).tolist() == [3, 3]
    assert x.new_tensor([1, 2]).dtype == torch.float64 and x.new_ones((1, 2), dtype=torch.int8).dtype == torch.int8
    assert x.new_empty_strided((2, 3), (1, 2)).stride() == (1, 2)
    assert torch.empty_permuted((2, 3, 4), (2, 0, 1)).stride() == (3, 1, 6)


def test_layouts():
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    y = x.contiguous(memory_format=torch.channels_last)
    assert y.stride() == (24, 1, 8, 2) and y.equal(x)
    assert y.is_contiguous(memory_format=torch.channels_last) and not y.is_contiguous()
    assert y.clone().stride() == y.stride() and y.clone(memory_format=torch.contiguous_format).is_contiguous()
    assert x.to(memory_format=torch.channels_last).stride() == y.stride() and x.contiguous() is x
    assert y.double().stride() == y.stride()


def test_to():
    x = torch.ones(2)
    assert x.to(torch.float32) is x and x.to("cpu") is x and x.to(x) is x and x.cpu() is x
    assert x.to(torch.float32, copy=True) is not x and x.to(dtype=torch.int64, device="cpu").dtype == torch.int64
    assert x.to("cpu", torch.float64).dtype == torch.float64 and x.to(torch.ones(1, dtype=torch.int8)).dtype == torch.int8
    for name in ("float64", "float16", "bfloat16", "int8", "uint8", "int16", "int32", "int64", "bool", "complex64"):
        dtype = getattr(torch, name)
        assert x.to(dtype).dtype == dtype and x.to(dtype).float().tolist() == [1, 1] if not dtype.is_complex else True
    assert [f(x).dtype for f in (torch.Tensor.double, torch.Tensor.half, torch.Tensor.long, torch.Tensor.byte)] == [
        torch.float64, torch.float16, torch.int64, torch.uint8]
    assert x.type() == "torch.FloatTensor" and x.type(torch.int64).dtype == torch.int64
    assert x.type("torch.DoubleTensor").dtype == torch.float64 and x.type_as(torch.ones(1).half()).dtype == torch.float16
    y = torch.ones(2, requires_grad=True)
    y.double().mul(3).sum().backward()
    assert y.grad.tolist() == [3, 3] and y.grad.dtype == torch.float32


def test_default_dtype():
    try:
        torch.set_default_dtype(torch.float64)
        assert torch.ones(1).dtype == torch.tensor(1.0).dtype == torch.linspace(0, 1, 2).dtype == torch.float64
        assert torch.arange(1.0).dtype == torch.float64 and torch.tensor(1j).dtype == torch.complex128
        assert torch.ones(2, dtype=torch.int64).sqrt().dtype == torch.float64
        torch.set_default_tensor_type("torch.FloatTensor")
        assert torch.get_default_dtype() == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


def test_legacy_types():
    assert torch.FloatTensor([1, 2]).dtype == torch.float32 and torch.LongTensor(2, 3).shape == (2, 3)
    assert torch.ByteTensor([1]).dtype == torch.uint8 and torch.DoubleTensor().numel() == 0
    assert isinstance(torch.ones(1), torch.FloatTensor) and not isinstance(torch.ones(1), torch.LongTensor)
    assert isinstance(torch.arange(2), torch.LongTensor)


def test_sharing_memory():
    numpy = pytest.importorskip("numpy")
    held = numpy.arange(4.0)
    for make in (torch.from_numpy, torch.as_tensor, torch.asarray, torch.from_dlpack):
        shared = make(held)
        shared[0] = 7
        assert held[0] == 7 and shared.dtype == torch.float64
        held[0] = 0
    assert torch.as_tensor(held, dtype=torch.float32).dtype == torch.float32
    assert torch.asarray(held, copy=True).data_ptr() != held.ctypes.data
    x = torch.arange(3.0)
    assert numpy.from_dlpack(x).tolist() == [0, 1, 2] and x.__dlpack_device__() == (1, 0)
    assert torch.as_tensor(x) is x and torch.asarray(x).data_ptr() == x.data_ptr()
    assert torch.asarray([1, 2]).tolist() == [1, 2]
    with pytest.raises(ValueError):
        torch.asarray([1, 2], copy=False)
    with pytest.raises(BufferError):
        torch.ones(1, requires_grad=True).__dlpack__()


def test_frombuffer():
    raw = bytearray(b"\x01\x00\x02\x00\x03\x00")
    x = torch.frombuffer(raw, dtype=torch.int16)
    assert x.tolist() == [1, 2, 3] and torch.frombuffer(raw, dtype=torch.int16, count=1, offset=2).tolist() == [2]
    x[0] = 9
    assert raw[0] == 9
    assert torch.frombuffer(array.array("d", [1.5, 2.5]), dtype=torch.float64).tolist() == [1.5, 2.5]


def test_limits_of_dtypes():
    f = torch.finfo(torch.float32)
    assert (f.bits, f.eps, f.max, f.tiny) == (32, 2**-23, 3.4028234663852886e38, 1.1754943508222875e-38)
    assert torch.finfo(torch.bfloat16).max == 3.3895313892515355e38 and torch.finfo().dtype == "float32"
    assert torch.finfo(torch.float16).max == 65504 and torch.finfo(torch.complex64).eps == f.eps
    assert torch.iinfo(torch.int8).min == -128 and torch.iinfo(torch.uint16).max == 65535
    assert repr(torch.iinfo(torch.uint8)) == "iinfo(min=0, max=255, dtype=uint8)"
    assert repr(f) == ("finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19209e-07, "
                       "smallest_normal=1.17549e-38, tiny=1.17549e-38, dtype=float32)")


def test_fill():
    x = torch.ones(3)
    assert x.fill_(2).tolist() == [2, 2, 2] and x.zero_().tolist() == [0, 0, 0]
    assert torch.fill(x, torch.tensor(4.0)).tolist() == [4, 4, 4]
    with pytest.raises(RuntimeError):
        x.fill_(torch.ones(2))


WINDOWS = [
    ("hann_window", (4,), [0, 0.5, 1, 0.5]), ("hamming_window", (4,), [0.08, 0.54, 1, 0.54]),
    ("bartlett_window", (4,), [0, 0.5, 1, 0.5]), ("blackman_window", (4,), [0, 0.34, 1, 0.34]),
    ("hann_window", (5, False), [0, 0.5, 1, 0.5, 0]), ("kaiser_window", (3, False, 0.0), [1, 1, 1]),
]


@pytest.mark.parametrize("name, arguments, wanted", WINDOWS)
def test_windows(name, arguments, wanted):
    assert getattr(torch, name)(*arguments).tolist() == pytest.approx(wanted, abs=1e-6)
    assert getattr(torch, name)(0).shape == (0,) and getattr(torch, name)(1).tolist() == [1]
    with pytest.raises(RuntimeError):
        getattr(torch, name)(-1)


def test_signal_windows():
    w = torch.signal.windows
    assert w.hann(5).tolist() == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-6)
    assert w.hann(4, sym=False).tolist() == pytest.approx([0, 0.5, 1, 0.5], abs=1e-6)
    assert w.gaussian(3).tolist() == pytest.approx([math.exp(-0.5), 1, math.exp(-0.5)])
    assert w.exponential(3, tau=2).tolist() == pytest.approx([math.exp(-0.5), 1, math.exp(-0.5)])
    assert w.cosine(2).tolist() == pytest.approx([math.sin(math.pi / 4)] * 2)
    assert w.nuttall(3)[1].item() == pytest.approx(1) and w.kaiser(1).tolist() == [1]
    with pytest.raises(ValueError):
        w.hann(-1)
    with pytest.raises(ValueError):
        w.gaussian(3, dtype=torch.int64)


def test_complex():
    z = torch.complex(torch.tensor([3.0]), torch.tensor([-4.0]))
    assert z.abs().tolist() == [5] and torch.real(z).tolist() == [3] and torch.imag(z).tolist() == [-4]
    assert z.conj().tolist() == [3 + 4j] and torch.view_as_real(z).tolist() == [[3, -4]]
    assert torch.view_as_complex(torch.tensor([[1.0, 2.0]])).tolist() == [1 + 2j]
    assert torch.polar(torch.tensor(2.0), torch.tensor(0.0)).item() == 2 and torch.isreal(z).tolist() == [False]
    assert torch.angle(torch.tensor([-1.0, 1.0])).tolist() == pytest.approx([math.pi, 0])
    assert not z.is_conj() and z.resolve_conj() is z and z.sgn().abs().item() == pytest.approx(1)
    with pytest.raises(RuntimeError):
        torch.imag(torch.ones(1))
