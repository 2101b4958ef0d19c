"""hearth.array_api: the standard's rules on types, operators, keys and results, where they differ from tensors'."""
import math

import pytest

import hearth

xp = hearth.array_api


def plain(x):
    return x.tensor.tolist()


def test_arrays_promote_by_type_and_never_by_rank():
    assert (xp.ones((2,), dtype=xp.float32) + xp.ones((), dtype=xp.float64)).dtype == xp.float64
    assert (xp.ones(2, dtype=xp.int8) * xp.ones(2, dtype=xp.uint16)).dtype == xp.int32
    assert xp.add(xp.ones(2, dtype=xp.float64), xp.ones(2, dtype=xp.complex64)).dtype == xp.complex128
    assert (xp.ones(2, dtype=xp.uint8) + 3).dtype == xp.uint8
    assert (xp.ones(2) + 2j).dtype == xp.complex64


@pytest.mark.parametrize("use", [
    lambda: xp.ones(2, dtype=xp.int64) + xp.ones(2),
    lambda: xp.ones(2, dtype=xp.uint64) + xp.ones(2, dtype=xp.int8),
    lambda: xp.ones(2, dtype=xp.int64) + 1.5,
    lambda: xp.ones(2, dtype=xp.bool) + xp.ones(2, dtype=xp.bool),
    lambda: xp.floor(xp.ones(2, dtype=xp.bool)),
    lambda: xp.sin(xp.ones(2, dtype=xp.int32)),
    lambda: xp.astype(xp.ones(2, dtype=xp.complex64), xp.float32),
    lambda: xp.ones(2, dtype=xp.int8).__iadd__(xp.ones(2, dtype=xp.int32)),
    lambda: int(xp.ones(2)),
    lambda: xp.add([1], [2]),
])
def test_what_the_standard_leaves_out_is_refused(use):
    with pytest.raises(TypeError):
        use()


def test_a_number_out_of_range_is_refused():
    with pytest.raises(OverflowError):
        xp.ones(2, dtype=xp.uint8) + 300


def test_unsigned_types_wrap_and_keep_their_top_bit():
    big = xp.asarray([2**64 - 1, 2**63, 5], dtype=xp.uint64)
    assert plain(big // 3) == [(2**64 - 1) // 3, 2**63 // 3, 1]
    assert plain(xp.sort(big)) == [5, 2**63, 2**64 - 1]
    assert plain(big + 1) == [0, 2**63 + 1, 6]
    assert plain(big > xp.asarray(6, dtype=xp.uint64)) == [True, True, False]
    assert xp.sum(xp.asarray([200, 100], dtype=xp.uint8)).dtype == xp.uint64


def test_slices_run_backwards_for_reading_and_writing():
    x = xp.reshape(xp.arange(12), (3, 4))
    assert plain(x[::-1, 1::2]) == [[9, 11], [5, 7], [1, 3]]
    assert plain(x[..., ::-2])[0] == [3, 1]
    assert plain(x[1, ::-1, None]) == [[7], [6], [5], [4]]
    x[0, ::-1] = xp.asarray([1, 2, 3, 4])
    assert plain(x[0, :]) == [4, 3, 2, 1]
    x[::-1, 0] = xp.asarray([7, 8, 9])
    assert plain(x[:, 0]) == [9, 8, 7]


def test_keys_of_arrays_and_masks():
    x = xp.asarray([10, 20, 30])
    assert plain(x[xp.asarray([2, 0])]) == [30, 10]
    assert plain(x[x > 15]) == [20, 30]
    x[x > 15] = 0
    assert plain(x) == [10, 0, 0]
    with pytest.raises(IndexError):
        x[1, 1]


def test_divisions_at_infinity():
    inf = math.inf
    assert str(plain(xp.asarray([inf, 1.0, -1.0]) // xp.asarray([2.0, inf, inf]))) == "[inf, 0.0, -0.0]"
    assert plain(xp.asarray([1.0, -1.0]) % xp.asarray([inf, inf])) == [1.0, inf]
    assert str(plain(xp.asarray(-4.0) % xp.asarray(2.0))) == "0.0"


def test_sets_count_each_nan_for_itself():
    groups = xp.unique_all(xp.asarray([3.0, math.nan, 1.0, 3.0, math.nan]))
    assert plain(groups.values)[:2] == [1.0, 3.0] and groups.values.size == 4
    assert plain(groups.counts) == [1, 2, 1, 1]
    assert plain(groups.indices)[:2] == [2, 0]
    assert plain(xp.unique_values(xp.asarray([2j, 1 + 0j, 2j]))) == [2j, 1 + 0j]
    assert plain(xp.isin(xp.asarray([1, 5, 3]), xp.asarray([3, 1]))) == [True, False, True]
    assert plain(xp.searchsorted(xp.asarray([1, 2, 2, 4]), xp.asarray([2, 5]), side="right")) == [3, 4]


def test_reductions():
    x = xp.reshape(xp.arange(6, dtype=xp.float32), (2, 3))
    assert plain(xp.sum(x, axis=())) == plain(x)
    assert xp.max(x, axis=(0, 1), keepdims=True).shape == (1, 1)
    assert plain(xp.var(x, axis=1, correction=1)) == [1.0, 1.0]
    assert plain(xp.cumulative_sum(xp.asarray([1, 2, 3]), include_initial=True)) == [0, 1, 3, 6]
    assert plain(xp.diff(xp.asarray([1, 4, 9]), prepend=xp.asarray([0]))) == [1, 3, 5]


def test_integer_products():
    a = xp.asarray([[1, 2], [3, 4]], dtype=xp.uint64)
    assert plain(a @ a) == [[7, 10], [15, 22]]
    assert plain(xp.asarray([1, 2]) @ xp.asarray([3, 4])) == 11
    assert plain(xp.tensordot(a, a, axes=2)) == 30


def test_linalg_and_fft_agree_with_themselves():
    a = xp.asarray([[4.0, 1.0], [1.0, 3.0]])
    u, s, vh = xp.linalg.svd(a)
    assert xp.all(xp.abs(u @ (s[:, None] * vh) - a) < 1e-5)
    assert xp.all(xp.abs(xp.linalg.inv(a) @ a - xp.eye(2)) < 1e-6)
    assert int(xp.linalg.matrix_rank(xp.ones((3, 3)))) == 1
    x = xp.asarray([1.0, 2.0, 3.0])
    assert xp.all(xp.abs(xp.fft.irfft(xp.fft.rfft(x), n=3) - x) < 1e-6)


def test_gradients_flow_through_arrays():
    w = hearth.ones(3, requires_grad=True)
    xp.sum(xp.asarray(w)[::-1] * xp.asarray([1.0, 2.0, 3.0])).tensor.backward()
    assert w.grad.tolist() == [3.0, 2.0, 1.0]


def test_the_namespace_tells_what_it_is():
    assert xp.ones(1).__array_namespace__() is xp and hearth.ones(1).__array_namespace__() is xp
    with pytest.raises(ValueError):
        xp.ones(1).__array_namespace__(api_version="1999.1")
    info = xp.__array_namespace_info__()
    assert info.default_dtypes()["integral"] == xp.int64
    assert set(info.dtypes(kind="unsigned integer")) == {"uint8", "uint16", "uint32", "uint64"}
    assert xp.isdtype(xp.float32, ("integral", "real floating")) and not xp.isdtype(xp.bool, "numeric")
    assert xp.finfo(xp.complex64).eps == 2.0**-23 and xp.iinfo(xp.uint64).max == 2**64 - 1
    assert all(hasattr(xp, name) for name in xp.__all__)
