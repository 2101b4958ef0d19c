# Cases of elementwise ops: special values, gradients, broadcasting, integers, conversions.

import torch
import torch.nn.functional as F

from op_store import integers, numbers, positive

inf, nan = float("inf"), float("nan")
SPECIAL = torch.tensor(
    [
        -inf,
        -3.4e38,
        -1e30,
        -100.0,
        -89.5,
        -20.0,
        -2.5,
        -1.5,
        -1.0,
        -0.5,
        -1e-3,
        -1e-30,
        -0.0,
        0.0,
        1e-30,
        1e-3,
        0.5,
        1.0,
        1.5,
        2.5,
        20.0,
        88.5,
        89.5,
        100.0,
        1e30,
        3.4e38,
        inf,
        nan,
    ]
)
PAIRED = torch.tensor([-inf, -3.4e38, -2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, 3.4e38, inf, nan])

ANY = (
    "abs neg exp exp2 expm1 sin cos tan atan sinh cosh tanh asinh erf erfc sigmoid floor ceil round trunc frac sign sgn "
    "square positive"
).split()
POSITIVE = "log log2 log10 log1p sqrt rsqrt reciprocal lgamma digamma".split()
INSIDE = "asin acos atanh erfinv logit".split()
PREDICATES = "isnan isinf isfinite isposinf isneginf signbit logical_not".split()
ACTIVATIONS = (
    "relu relu6 elu selu celu leaky_relu silu mish gelu softplus hardtanh hardsigmoid hardswish logsigmoid "
    "tanhshrink softsign softshrink hardshrink"
).split()
BINARY = "add sub mul div pow atan2 hypot maximum minimum fmax fmin fmod remainder copysign xlogy logaddexp".split()
COMPARE = "eq ne lt le gt ge".split()
INTEGER = "add sub mul maximum minimum floor_divide fmod remainder bitwise_and bitwise_or bitwise_xor".split()


def unary(store) -> None:
    for op in ANY + POSITIVE + INSIDE + PREDICATES:
        if op != "erfinv":
            store.add(op, "special", getattr(torch, op), SPECIAL, grad=False)
    for op in ANY:
        store.add(op, "grad", getattr(torch, op), numbers(op, 3, 5, scale=2.0))
    for op in POSITIVE:
        store.add(op, "grad", getattr(torch, op), positive(op, 3, 5, low=0.3, high=4.0))
    for op in INSIDE:
        store.add(op, "grad", getattr(torch, op), positive(op, 3, 5, low=0.05, high=0.9))
    store.add("acosh", "grad", torch.acosh, positive("acosh", 3, 5, low=1.1, high=4.0))
    store.add("abs", "kink", torch.abs, torch.tensor([-1.0, -0.0, 0.0, 2.0]))
    store.add("sqrt", "zero", torch.sqrt, torch.tensor([0.0, 4.0]))
    store.add("round", "decimals", torch.round, numbers("round", 3, 5, scale=30.0), grad=False, decimals=1)
    store.add("nan_to_num", "defaults", torch.nan_to_num, torch.tensor([nan, 1.0, 2.0]))
    store.add("nan_to_num", "chosen", torch.nan_to_num, SPECIAL, grad=False, nan=7.0, posinf=8.0, neginf=9.0)
    values = integers("intunary", -9, 9, 12)
    for op in ("abs", "neg", "sign", "square", "bitwise_not"):
        store.add(op, "int64", getattr(torch, op), values)
    for op in ("exp", "sqrt", "sigmoid"):
        store.add(op, "int64", getattr(torch, op), values.abs())


def activations(store) -> None:
    kinks = torch.tensor([-6.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0])
    for op in ACTIVATIONS:
        function = getattr(F, op)
        store.add(op, "special", function, SPECIAL, grad=False)
        store.add(op, "grad", function, numbers(op, 4, 7, scale=3.0))
        if op not in ("logsigmoid", "tanhshrink", "softsign"):
            store.add(op, "kinks", function, kinks)
    store.add("gelu", "tanh", F.gelu, numbers("gelu_tanh", 4, 7, scale=2.0), approximate="tanh")
    store.add("gelu", "tanh_special", F.gelu, SPECIAL, grad=False, approximate="tanh")
    store.add("elu", "alpha", F.elu, numbers("elu_alpha", 4, 7), alpha=0.5)
    store.add("leaky_relu", "slope", F.leaky_relu, numbers("leaky", 4, 7), negative_slope=0.2)
    store.add("softplus", "beta", F.softplus, numbers("softplus", 4, 7, scale=3.0), beta=2.0, threshold=5.0)
    store.add("glu", "last", F.glu, numbers("glu", 3, 8), dim=-1)
    store.add("prelu", "channels", F.prelu, numbers("prelu", 2, 3, 4), positive("prelu", 3))
    store.add("swiglu", "basic", lambda gate, up: F.silu(gate) * up, numbers("gate", 3, 9), numbers("up", 3, 9))


def binary(store) -> None:
    for op in BINARY:
        function = getattr(torch, op)
        store.add(op, "special", function, PAIRED[:, None], PAIRED[None, :], grad=False)
        make = positive if op in ("pow", "xlogy") else numbers
        store.add(op, "grad", function, make(op + "a", 3, 5), make(op + "b", 3, 5))
        store.add(op, "broadcast", function, make(op + "a", 2, 1, 5), make(op + "b", 3, 1))
    for op in ("maximum", "minimum", "fmax", "fmin"):
        store.add(op, "ties", getattr(torch, op), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 3.0, 2.0]))
    for op in COMPARE:
        store.add(op, "special", getattr(torch, op), PAIRED[:, None], PAIRED[None, :], grad=False)


def few_arguments(store) -> None:
    """Binary and ternary ops with settings, and clamp."""
    for mode in ("trunc", "floor"):
        store.add("div", mode, torch.div, numbers("diva", 3, 5, scale=5.0), numbers("divb", 3, 5), rounding_mode=mode)
    store.add("add", "alpha", torch.add, numbers("a", 3, 5), numbers("b", 3, 5), alpha=-2.5)
    store.add("add", "zero_dim", torch.add, numbers("a", 3, 5), numbers("b"))
    store.add("add", "empty", torch.add, numbers("a", 0, 5), numbers("b", 1, 5))
    for name, exponent in (("square", 2.0), ("cube", 3.0), ("half", 0.5), ("minus", -1.0), ("zero", 0.0)):
        store.add("pow", f"scalar_{name}", torch.pow, positive("pow", 3, 5), exponent=exponent)
    store.add("addcmul", "basic", torch.addcmul, *(numbers(f"addcmul{i}", 3, 5) for i in range(3)), value=0.5)
    store.add(
        "addcdiv",
        "basic",
        torch.addcdiv,
        numbers("acd0", 3, 5),
        numbers("acd1", 3, 5),
        positive("acd2", 3, 5),
        value=0.5,
    )
    store.add("lerp", "tensor", torch.lerp, *(numbers(f"lerp{i}", 3, 5) for i in range(3)))
    store.add("lerp", "scalar", torch.lerp, numbers("lerp0", 3, 5), numbers("lerp1", 3, 5), weight=0.3)
    store.add(
        "where", "broadcast", torch.where, integers("where", 0, 2, 3, 1).bool(), numbers("w0", 3, 5), numbers("w1", 5)
    )


def clamps(store) -> None:
    clamped = torch.tensor([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
    store.add("clamp", "both", torch.clamp, clamped, min=-1.0, max=1.0)
    store.add("clamp", "min", torch.clamp, clamped, min=0.25)
    store.add("clamp", "nan", torch.clamp, SPECIAL, grad=False, min=-1.0, max=1.0)
    store.add("clamp", "crossed", torch.clamp, clamped, min=1.0, max=-1.0)
    store.add(
        "clamp",
        "tensors",
        torch.clamp,
        numbers("clamp", 3, 5),
        numbers("cmin", 5, shift=-1.0),
        numbers("cmax", 5, shift=1.0),
    )


def whole_numbers(store) -> None:
    top = torch.tensor([-128, -127, -7, -3, -1, 0, 1, 3, 7, 100, 127])
    for dtype in (torch.int64, torch.int32, torch.int8, torch.uint8):
        left = top.to(dtype)
        divisors = torch.tensor([-7, -3, 2, 5, 127]).to(dtype)
        for op in INTEGER:
            store.add(op, str(dtype)[6:], getattr(torch, op), left[:, None], divisors[None, :])
    small = torch.tensor([0, 1, 3, 7])
    store.add("bitwise_left_shift", "int64", torch.bitwise_left_shift, top[:, None], small[None, :])
    store.add("bitwise_right_shift", "int64", torch.bitwise_right_shift, top[:, None], small[None, :])
    store.add("pow", "int64", torch.pow, top[:, None], small[None, :])
    store.add("div", "int64", torch.div, top[:, None], small[None, 1:])
    truth = torch.tensor([[False, False, True, True], [False, True, False, True]])
    for op in ("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "add", "mul"):
        store.add(op, "bool", getattr(torch, op), truth[0], truth[1])


# Ties and limits of bfloat16 and float16 among them.
ROUNDED = """0 -0.0 1 1.00390625 1.01171875 1.0009765625 1.00048828125 1.00146484375 65504 65519.9 65520 6.0e-8 2.9e-8 3.1e-8
6.1e-5 1e-40 3.39e38 3.4e38 -2.7 2.7 inf -inf nan"""


def conversions(store) -> None:
    values = torch.tensor([float(word) for word in ROUNDED.split()])
    for dtype in (torch.bfloat16, torch.float16, torch.bool):
        text = str(dtype)[6:]
        # From float32 itself: through float64 the roundings are the same, but NaN and the name stay plain this way.
        store.table(f"to.float32_{text}/in0", values)
        store.table(f"to.float32_{text}/out0", values.to(dtype))
    ordinary = torch.tensor([-100.9, -1.5, -0.5, 0.0, 0.5, 1.5, 99.99])
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8):
        store.table(f"to.float32_{str(dtype)[6:]}/in0", ordinary)
        store.table(f"to.float32_{str(dtype)[6:]}/out0", ordinary.to(dtype))
    wrap = torch.tensor([-129, -128, -1, 0, 127, 128, 255, 256, 65537])
    for dtype in (torch.int8, torch.uint8, torch.int16, torch.bool, torch.float16, torch.bfloat16):
        store.table(f"to.int64_{str(dtype)[6:]}/in0", wrap)
        store.table(f"to.int64_{str(dtype)[6:]}/out0", wrap.to(dtype))


def low_precision(store) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        text = str(dtype)[6:]
        a, b = numbers("low_a", 5, 19).to(dtype), numbers("low_b", 5, 19).to(dtype)
        for op in ("add", "mul", "div"):
            store.add(op, text, getattr(torch, op), a, b, grad=False)
        for op in ("exp", "tanh", "sigmoid"):
            store.add(op, text, getattr(torch, op), a, grad=False)
        store.add("silu", text, F.silu, a, grad=False)


def add_cases(store) -> None:
    unary(store)
    activations(store)
    binary(store)
    few_arguments(store)
    clamps(store)
    whole_numbers(store)
    conversions(store)
    low_precision(store)
