"""make_tensor: random tensors of a dtype and range, for tests."""
import hearth

_INTEGERS = {"uint8": (0, 10), "bool": (0, 2)}


def make_tensor(*shape, dtype, device, low=None, high=None, requires_grad=False, noncontiguous=False,
                exclude_zero=False, memory_format=None):
    """A tensor of random values in [low, high): by default [-9, 9) for floats, [-9, 10) for integers, {0, 1} for bool.

    Example: `make_tensor(2, 3, dtype=torch.float32, device="cpu")`.
    """
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    if noncontiguous and memory_format is not None:
        raise ValueError("The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got both")
    floating = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not floating:
        raise ValueError(f"`requires_grad=True` is not supported for integral dtypes, but got dtype={dtype}")
    name = str(dtype)[len("torch."):]
    default = (-9, 9) if floating else _INTEGERS.get(name, (0, 10) if name.startswith("uint") else (-9, 10))
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if low > high or (low == high and floating):
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    wide = (*shape[:-1], 2 * shape[-1]) if noncontiguous and shape and shape[-1] > 1 else shape
    result = _random(wide, dtype, low, high).to(device)
    if wide is not shape:
        result = result[..., ::2]
    if exclude_zero:
        tiny = hearth.finfo(dtype).tiny if floating else 1
        result = hearth.where(result == 0, hearth.full_like(result, tiny), result)
    if memory_format is not None:
        result = result.to(memory_format=memory_format)
    return result.requires_grad_(True) if requires_grad else result


def _random(shape, dtype, low, high):
    if dtype.is_complex:
        part = hearth.float64 if dtype == hearth.complex128 else hearth.float32
        return hearth.complex(_random(shape, part, low, high), _random(shape, part, low, high)).to(dtype)
    if dtype.is_floating_point:
        limits = hearth.finfo(dtype)
        low, high = max(low, limits.min), min(high, limits.max)
        return hearth.empty(shape, dtype=hearth.float64).uniform_(low, high).to(dtype)
    return hearth.randint(int(low), max(int(high), int(low) + 1), shape, dtype=hearth.int64).to(dtype)
