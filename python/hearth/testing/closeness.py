"""assert_close: tensors, numbers and containers of them, element by element, with tolerances that follow the dtype."""
import collections.abc
import numbers

import hearth

# dtype name: (relative, absolute) tolerance; all others must be equal.
_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


class _Settings:
    """How to compare: the arguments of assert_close."""

    def __init__(self, **values):
        self.__dict__.update(values)


def assert_close(actual, expected, *, allow_subclasses=True, rtol=None, atol=None, equal_nan=False, check_device=True,
                 check_dtype=True, check_layout=True, check_stride=False, msg=None):
    """AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere; containers item by item.

    `rtol` and `atol` come together or follow the dtype. `msg` replaces the message, or is a function of it.
    Example: `assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))`.
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"rtol and atol must both be specified or both be unspecified, but got no {missing}.")
    settings = _Settings(allow_subclasses=allow_subclasses, rtol=rtol, atol=atol, equal_nan=equal_nan,
                         check_device=check_device, check_dtype=check_dtype, check_layout=check_layout,
                         check_stride=check_stride)
    try:
        _compare(actual, expected, settings, ())
        return
    except _Difference as difference:
        kind, text = difference.args
    raise kind(msg(text) if callable(msg) else msg if msg is not None else text)


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """The older name of assert_close, without the checks of dtype, device and layout."""
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_device=False, check_dtype=False,
                 msg=msg or None)


class _Difference(Exception):
    """(class of the error to raise, message)."""


def _fail(text, path, kind=AssertionError):
    where = "".join(f"[{step!r}]" for step in path)
    raise _Difference(kind, f"{text}\n\nThe failure occurred for item {where}" if path else text)


def _compare(actual, expected, settings, path):
    both = (actual, expected)
    if all(isinstance(each, collections.abc.Mapping) for each in both):
        _compare_keys(actual, expected, path)
        for key in expected:
            _compare(actual[key], expected[key], settings, (*path, key))
    elif all(_is_sequence(each) for each in both):
        if len(actual) != len(expected):
            _fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
        for place, (one, other) in enumerate(zip(actual, expected)):
            _compare(one, other, settings, (*path, place))
    elif actual is None or expected is None:
        if actual is not expected:
            _fail(f"None mismatch: {actual} is not {expected}", path)
    elif all(isinstance(each, bool) for each in both):
        if actual is not expected:
            _fail(f"Booleans mismatch: {actual} is not {expected}", path)
    elif all(isinstance(each, numbers.Number) for each in both):
        _compare_numbers(actual, expected, settings, path)
    else:
        _compare_tensors(_tensor(actual, settings, path), _tensor(expected, settings, path), settings, path)


def _is_sequence(value):
    return isinstance(value, collections.abc.Sequence) and not isinstance(value, str)


def _compare_keys(actual, expected, path):
    if set(actual) != set(expected):
        missing, added = set(expected) - set(actual), set(actual) - set(expected)
        _fail("The keys of the mappings do not match:\nMissing keys in the actual mapping: "
              f"{sorted(missing, key=str)}\nAdditional keys in the actual mapping: {sorted(added, key=str)}", path)


def _tensor(value, settings, path):
    if isinstance(value, hearth.Tensor):
        if not settings.allow_subclasses and type(value) is not hearth.Tensor:
            _fail(f"{type(value).__name__} is a subclass of Tensor", path, TypeError)
        return value.detach()
    try:
        return hearth.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        _fail(f"No comparison pair was able to handle inputs of type {type(value)}", path, TypeError)


def _tolerances(settings, *dtypes):
    if settings.rtol is not None:
        return settings.rtol, settings.atol
    found = [_TOLERANCES.get(str(dtype)[len("torch."):], (0.0, 0.0)) for dtype in dtypes]
    return max(pair[0] for pair in found), max(pair[1] for pair in found)


def _compare_numbers(actual, expected, settings, path):
    kinds = (type(actual), type(expected))
    if settings.check_dtype and kinds[0] is not kinds[1]:
        _fail(f"The (d)types do not match: {kinds[0]} != {kinds[1]}", path)
    names = {int: "int64", float: "float64", complex: "complex128", bool: "bool"}
    rtol, atol = _tolerances(settings, *(f"torch.{names.get(kind, 'float64')}" for kind in kinds))
    same = actual == expected or (settings.equal_nan and actual != actual and expected != expected)
    difference = abs(actual - expected)
    finite = difference == difference and difference != float("inf")
    if same or (finite and difference <= atol + rtol * abs(expected)):
        return
    if rtol == atol == 0:
        _fail(f"Scalars are not equal!\n\nExpected {expected} but got {actual}.\nAbsolute difference: {difference}\n"
              f"Relative difference: {_ratio(difference, expected)}", path)
    _fail(f"Scalars are not close!\n\nExpected {expected} but got {actual}.\n"
          f"Absolute difference: {difference} (up to {atol} allowed)\n"
          f"Relative difference: {_ratio(difference, expected)} (up to {rtol} allowed)", path)


def _ratio(difference, expected):
    return difference / abs(expected) if expected else float("inf") if difference else 0.0


def _compare_tensors(actual, expected, settings, path):
    checks = [("shape", True), ("device", settings.check_device), ("dtype", settings.check_dtype)]
    if settings.check_layout and hasattr(actual, "layout"):
        checks.append(("layout", True))
    for name, wanted in checks:
        one, other = getattr(actual, name), getattr(expected, name)
        if wanted and one != other:
            _fail(f"The values for attribute '{name}' do not match: {one} != {other}.", path)
    if settings.check_stride and actual.stride() != expected.stride():
        _fail(f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}.", path)
    rtol, atol = _tolerances(settings, actual.dtype, expected.dtype)
    if actual.dtype != expected.dtype:
        wide = hearth.promote_types(actual.dtype, expected.dtype)
        actual, expected = actual.to(wide), expected.to(wide)
    if actual.device.type == "meta" or actual.numel() == 0:
        return
    matches = _close(actual, expected, rtol, atol, settings.equal_nan)
    if not bool(matches.all()):
        _fail(_describe(actual, expected, matches, rtol, atol), path)


def _close(actual, expected, rtol, atol, equal_nan):
    if actual.dtype.is_floating_point or actual.dtype.is_complex or rtol or atol:
        return hearth.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan)
    return actual == expected


def _describe(actual, expected, matches, rtol, atol):
    total = actual.numel()
    wrong = total - int(matches.sum().item())
    word = "equal" if rtol == atol == 0 else "close"
    if actual.dim() == 0:
        return _describe_one(actual.item(), expected.item(), rtol, atol, word)
    wide = hearth.complex128 if actual.dtype.is_complex else hearth.float64
    if not actual.dtype.is_floating_point and not actual.dtype.is_complex:
        wide = hearth.int64 if actual.dtype != hearth.uint64 else hearth.float64
    one, other = actual.to(wide), expected.to(wide)
    absolute = (one - other).abs()
    absolute = hearth.where(matches, hearth.zeros_like(absolute), absolute)
    relative = absolute.to(hearth.float64) / other.abs().to(hearth.float64)
    relative = hearth.where(matches, hearth.zeros_like(relative), relative)
    lines = [f"Tensor-likes are not {word}!", "",
             f"Mismatched elements: {wrong} / {total} ({wrong / total:.1%})"]
    for name, values, allowed in (("absolute", absolute, atol), ("relative", relative, rtol)):
        flat = int(values.reshape(-1).argmax().item())
        place = tuple(_place(flat, actual.shape))
        most = values.reshape(-1)[flat].item()
        limit = f" (up to {allowed} allowed)" if word == "close" else ""
        lines.append(f"Greatest {name} difference: {most} at index {place}{limit}")
    return "\n".join(lines)


def _describe_one(actual, expected, rtol, atol, word):
    difference = abs(actual - expected)
    limits = (f" (up to {atol} allowed)", f" (up to {rtol} allowed)") if word == "close" else ("", "")
    return (f"Scalars are not {word}!\n\nExpected {expected} but got {actual}.\n"
            f"Absolute difference: {difference}{limits[0]}\n"
            f"Relative difference: {_ratio(difference, expected)}{limits[1]}")


def _place(flat, shape):
    steps = []
    for extent in reversed(shape):
        steps.append(flat % extent)
        flat //= extent
    return reversed(steps)
