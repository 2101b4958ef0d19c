"""torch.testing: what counts as close, and what the message says."""
import pytest

import hearth as torch
from hearth.testing import assert_close, make_tensor


def message(actual, expected, **settings):
    with pytest.raises(AssertionError) as error:
        assert_close(actual, expected, **settings)
    return str(error.value)


def test_close():
    x = torch.tensor([1.0, 2.0])
    assert_close(x, x + 1e-7)
    assert_close([x, {"a": (1, 2.0)}], [x.clone(), {"a": (1, 2.0)}])
    assert_close(torch.tensor([float("nan")]), torch.tensor([float("nan")]), equal_nan=True)
    assert_close(1.0, 1.0 + 1e-9)
    assert_close(x, x.double(), check_dtype=False)
    assert_close(None, None)


def test_messages():
    x = torch.tensor([1.0, 2.0, 3.0])
    text = message(x, torch.tensor([1.0, 2.0, 4.0]))
    assert text == ("Tensor-likes are not close!\n\nMismatched elements: 1 / 3 (33.3%)\n"
                    "Greatest absolute difference: 1.0 at index (2,) (up to 1e-05 allowed)\n"
                    "Greatest relative difference: 0.25 at index (2,) (up to 1.3e-06 allowed)")
    assert "not equal" in message(torch.tensor([1, 2]), torch.tensor([1, 3]))
    assert "'shape'" in message(x, x[:2]) and "'dtype'" in message(x, x.double())
    assert "item [1]" in message([x, x], [x, x + 1]) and "item ['a'][0]" in message({"a": [1]}, {"a": [2]})
    assert "length" in message([x], [x, x]) and "keys" in message({"a": 1}, {"b": 1})
    assert message(1.0, 2.0).startswith("Scalars are not close!\n\nExpected 2.0 but got 1.0.")
    assert message(x, x + 1, msg="mine") == "mine" and message(x, x + 1, msg=lambda m: "so: " + m)[:4] == "so: "
    message(torch.tensor([float("nan")]), torch.tensor([float("nan")]))


def test_arguments():
    with pytest.raises(ValueError, match="atol"):
        assert_close(1.0, 1.0, rtol=1.0)
    with pytest.raises(TypeError):
        assert_close(object(), 1.0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64", "uint8", "bool", "complex64"])
def test_make_tensor(dtype):
    x = make_tensor(3, 4, dtype=getattr(torch, dtype), device="cpu")
    assert x.shape == (3, 4) and x.dtype == getattr(torch, dtype)
    assert make_tensor((2, 6), dtype=x.dtype, device="cpu", noncontiguous=True).is_contiguous() is False
    if dtype in ("float32", "int64"):
        y = make_tensor(1000, dtype=x.dtype, device="cpu", low=2, high=5)
        assert y.min().item() >= 2 and y.max().item() < 5
