"""Element-wise functions: values against math, gradients against finite differences, dtypes, layouts, out=, errors."""
import math

import pytest

import hearth as torch
from differences import check_gradients

PI = math.pi

# name, the same function of one float, values to try, whether it is differentiable there
UNARY = [
    ("abs", abs, [-1.5, 0.25, 2.0], True), ("neg", lambda x: -x, [-1.5, 0.25], True),
    ("acos", math.acos, [-0.5, 0.25], True), ("acosh", math.acosh, [1.5, 3.0], True),
    ("asin", math.asin, [-0.5, 0.25], True), ("asinh", math.asinh, [-1.5, 0.25], True),
    ("atan", math.atan, [-1.5, 0.25], True), ("atanh", math.atanh, [-0.5, 0.25], True),
    ("ceil", math.ceil, [-1.5, 0.25, 2.0], False), ("floor", math.floor, [-1.5, 0.25, 2.0], False),
    ("trunc", math.trunc, [-1.5, 0.25, 2.75], True), ("round", round, [-1.5, 0.5, 2.5, 2.75], False),
    ("cos", math.cos, [-1.5, 0.25], True), ("cosh", math.cosh, [-1.5, 0.25], True),
    ("sin", math.sin, [-1.5, 0.25], True), ("sinh", math.sinh, [-1.5, 0.25], True),
    ("tan", math.tan, [-0.5, 0.25], True), ("tanh", math.tanh, [-1.5, 0.25], True),
    ("exp", math.exp, [-1.5, 0.25], True), ("exp2", lambda x: 2.0**x, [-1.5, 0.25], True),
    ("expm1", math.expm1, [-1.5, 1e-9], True), ("log", math.log, [0.5, 3.0], True),
    ("log1p", math.log1p, [-0.5, 1e-3], True), ("log2", math.log2, [0.5, 3.0], True),
    ("log10", math.log10, [0.5, 3.0], True), ("sqrt", math.sqrt, [0.5, 3.0], True),
    ("rsqrt", lambda x: x**-0.5, [0.5, 3.0], True), ("reciprocal", lambda x: 1 / x, [-0.5, 3.0], True),
    ("square", lambda x: x * x, [-0.5, 3.0], True), ("erf", math.erf, [-0.5, 1.5], True),
    ("erfc", math.erfc, [-0.5, 3.0], True), ("lgamma", math.lgamma, [0.5, 3.25], True),
    ("sigmoid", lambda x: 1 / (1 + math.exp(-x)), [-0.5, 3.0], True),
    ("sign", lambda x: (x > 0) - (x < 0), [-0.5, 0.0, 3.0], False),
    ("frac", lambda x: x - math.trunc(x), [-1.25, 2.5], True), ("deg2rad", math.radians, [-90.0, 30.0], True),
    ("rad2deg", math.degrees, [-1.0, 0.5], True),
    ("sinc", lambda x: math.sin(PI * x) / (PI * x) if x else 1.0, [-1.25, 0.0, 0.5], False),
    ("logit", lambda x: math.log(x / (1 - x)), [0.25, 0.75], True),
    ("i0", lambda x: sum((x * x / 4) ** k / math.factorial(k) ** 2 for k in range(60)), [-1.5, 0.5, 8.0], True),
    ("relu", lambda x: max(x, 0.0), [-0.5, 3.0], True),
]
ALIASES = [("absolute", "abs"), ("arccos", "acos"), ("arccosh", "acosh"), ("arcsin", "asin"), ("arcsinh", "asinh"),
           ("arctan", "atan"), ("arctanh", "atanh"), ("negative", "neg"), ("fix", "trunc"), ("subtract", "sub"),
           ("multiply", "mul"), ("divide", "div"), ("arctan2", "atan2"), ("clip", "clamp"), ("greater", "gt"),
           ("greater_equal", "ge"), ("less", "lt"), ("less_equal", "le"), ("not_equal", "ne")]
BINARY = [
    ("add", lambda a, b: a + b), ("sub", lambda a, b: a - b), ("mul", lambda a, b: a * b), ("div", lambda a, b: a / b),
    ("floor_divide", lambda a, b: a // b), ("remainder", lambda a, b: a % b), ("fmod", math.fmod), ("pow", math.pow),
    ("atan2", math.atan2), ("hypot", math.hypot), ("copysign", math.copysign), ("maximum", max), ("minimum", min),
    ("fmax", max), ("fmin", min), ("xlogy", lambda a, b: a * math.log(b)), ("rsub", lambda a, b: b - a),
    ("logaddexp", lambda a, b: math.log(math.exp(a) + math.exp(b))),
    ("logaddexp2", lambda a, b: math.log2(2**a + 2**b)), ("float_power", math.pow),
    ("ldexp", lambda a, b: a * 2**b), ("true_divide", lambda a, b: a / b),
]


@pytest.mark.parametrize("name, reference, values, smooth", UNARY, ids=[case[0] for case in UNARY])
def test_unary(name, reference, values, smooth):
    op = getattr(torch, name)
    wanted = [float(reference(v)) for v in values]
    x = torch.tensor(values, dtype=torch.float64)
    assert op(x).tolist() == pytest.approx(wanted, rel=1e-12, abs=1e-14)
    assert getattr(x, name)().equal(op(x))
    assert getattr(x.clone(), name + "_")().equal(op(x))
    assert op(x.float()).tolist() == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    assert op(x.half()).dtype == torch.float16
    assert op(torch.empty(0, 3)).shape == (0, 3)
    wide = torch.stack([x, x + 0], 1)
    assert op(wide[:, 0]).equal(op(x))
    out = torch.empty(0, dtype=torch.float64)
    if name != "relu":
        assert op(x, out=out) is out and out.equal(op(x))
    if smooth:
        check_gradients(op, values)


@pytest.mark.parametrize("new, old", ALIASES)
def test_aliases(new, old):
    arguments = () if hasattr(torch.ones(1), new) and old in {case[0] for case in UNARY} else (torch.tensor([0.5, 2.0]),)
    x = torch.tensor([0.25, 1.0])
    if new == "clip":
        arguments = (0.5,)
    assert torch.equal(torch.nan_to_num(getattr(torch, new)(x, *arguments) * 1.0),
                       torch.nan_to_num(getattr(torch, old)(x, *arguments) * 1.0))


@pytest.mark.parametrize("name, reference", BINARY, ids=[case[0] for case in BINARY])
def test_binary(name, reference):
    op = getattr(torch, name)
    a, b = [0.75, 2.5, 1.25], [2.0, 0.7, 1.5]
    x, y = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    wanted = [reference(i, j) for i, j in zip(a, b)]
    assert op(x, y).tolist() == pytest.approx(wanted, rel=1e-13)
    assert op(x.reshape(3, 1), y).shape == (3, 3)
    assert op(x.reshape(3, 1), y)[1, 2].item() == pytest.approx(reference(2.5, 1.5), rel=1e-13)
    assert op(torch.empty(0, 1), y).shape == (0, 3)
    if name not in ("floor_divide", "rsub"):
        check_gradients(op, a, b)
    with pytest.raises(RuntimeError):
        op(torch.ones(2), torch.ones(3))


def test_numbers_stand_on_either_side():
    x = torch.tensor([1.0, 2.0])
    for text in ("add", "sub", "mul", "div", "floor_divide", "true_divide", "pow", "remainder"):
        op = getattr(torch, text)
        assert op(3, x).equal(op(torch.full((2,), 3.0), x)), text
        assert op(x, 3).equal(op(x, torch.full((2,), 3.0))), text
    assert torch.add(1, 2).item() == 3
    assert x.__radd__(1).equal(x + 1) and x.__rsub__(1).equal(1 - x) and x.__rdiv__(1).equal(1 / x)
    assert x.__rpow__(2).equal(2**x) and torch.tensor([6]).__rand__(3).equal(torch.tensor([2]))
    with pytest.raises(TypeError):
        torch.atan2(x, 2)
    with pytest.raises(TypeError):
        torch.add(x, "2")


def test_alpha():
    x = torch.tensor([1, 2])
    assert torch.add(x, x, alpha=3).tolist() == [4, 8]
    assert torch.sub(x, 1, alpha=2).tolist() == [-1, 0]
    assert torch.rsub(x, 10, alpha=2).tolist() == [8, 6]
    assert x.clone().add_(x, alpha=2).tolist() == [3, 6]
    with pytest.raises(RuntimeError, match="alpha"):
        torch.add(x, x, alpha=0.5)


PROMOTION = [("uint8", "int8", "int16"), ("int64", "float32", "float32"), ("float16", "bfloat16", "float32"),
             ("bool", "uint8", "uint8"), ("float64", "complex64", "complex128"), ("int32", "int64", "int64")]


@pytest.mark.parametrize("first, second, common", PROMOTION)
def test_promotion(first, second, common):
    x, y = torch.ones(2, dtype=getattr(torch, first)), torch.ones(2, dtype=getattr(torch, second))
    assert (x + y).dtype == getattr(torch, common) == torch.promote_types(x.dtype, y.dtype)
    assert torch.result_type(x, y) == getattr(torch, common)


def test_promotion_with_numbers():
    assert (torch.ones(2, dtype=torch.int32) + 1).dtype == torch.int32
    assert (torch.ones(2, dtype=torch.int32) + 1.5).dtype == torch.float32
    assert (torch.ones(2, dtype=torch.float16) * 2.5).dtype == torch.float16
    assert (torch.ones(2) + torch.tensor(1.0, dtype=torch.float64)).dtype == torch.float32
    assert (torch.ones(2, dtype=torch.bool) + 1).dtype == torch.int64
    assert (torch.ones(2) * 1j).dtype == torch.complex64
    assert torch.can_cast(torch.int64, torch.float16) and not torch.can_cast(torch.float32, torch.int64)


def test_integers():
    x, y = torch.tensor([7, -7, 6]), torch.tensor([2, 2, -4])
    assert torch.div(x, y, rounding_mode="floor").tolist() == [3, -4, -2]
    assert torch.div(x, y, rounding_mode="trunc").tolist() == [3, -3, -1]
    assert (x / y).dtype == torch.float32
    assert torch.remainder(x, y).tolist() == [1, 1, -2] and torch.fmod(x, y).tolist() == [1, -1, 2]
    assert torch.gcd(x, y).tolist() == [1, 1, 2] and torch.lcm(x, y).tolist() == [14, 14, 12]
    assert (x & y).tolist() == [2, 0, 4] and (x << 1).tolist() == [14, -14, 12]
    for call in (lambda: torch.gcd(x.float(), y.float()), lambda: x.float() & 1, lambda: torch.pow(x, -1),
                 lambda: torch.div(x, y, rounding_mode="up"), lambda: x // 0):
        with pytest.raises(RuntimeError):
            call()


def test_clamp():
    x = torch.tensor([-2.0, 0.5, 3.0, math.nan])
    assert torch.clamp(x, 0, 1).tolist()[:3] == [0, 0.5, 1] and math.isnan(torch.clamp(x, 0, 1)[3].item())
    assert torch.clamp(x, min=torch.tensor([0.0, 1.0, 2.0, 3.0])).tolist()[:3] == [0, 1, 3]
    assert torch.clamp_min(x, 0)[0].item() == 0 and x.clamp_max(1)[2].item() == 1
    assert torch.clamp(torch.tensor([1, 5]), max=2.5).dtype == torch.float32
    check_gradients(lambda v: torch.clamp(v, -1, 1), [-2.0, 0.5, 3.0])
    with pytest.raises(RuntimeError):
        torch.clamp(x)


def test_where_and_comparisons():
    x, y = torch.tensor([1.0, 5.0]), torch.tensor([4.0, 2.0])
    assert torch.where(x > y, x, y).tolist() == [4, 5]
    assert torch.where(x > 2, x, 0).tolist() == [0, 5] and torch.where(x > 2, 1, 0).dtype == torch.int64
    assert torch.where(x > 2)[0].tolist() == [1]
    assert torch.eq(x, 1).tolist() == [True, False] and x.ne(1).tolist() == [False, True]
    assert torch.isclose(x, x + 1e-7).all() and not torch.allclose(x, y) and torch.equal(x, x.clone())
    assert torch.isin(torch.tensor([1, 2, 3]), torch.tensor([3, 1])).tolist() == [True, False, True]
    assert torch.isin(torch.arange(40), torch.arange(0, 40, 2)).sum().item() == 20
    check_gradients(lambda a, b: torch.where(torch.tensor([True, False]), a, b), [1.0, 2.0], [3.0, 4.0])
    with pytest.raises(RuntimeError):
        torch.where(x, x, y)


def test_interpolation_and_products():
    check_gradients(torch.lerp, [1.0, 2.0], [3.0, 5.0], [0.25, 0.75])
    check_gradients(lambda x, a, b: torch.addcmul(x, a, b, value=2), [1.0], [2.0], [3.0])
    check_gradients(lambda x, a, b: torch.addcdiv(x, a, b, value=2), [1.0], [2.0], [3.0])
    x = torch.ones(2)
    assert torch.lerp(x, 3 * x, 0.5).tolist() == [2, 2] and x.addcmul(x, x, value=2).tolist() == [3, 3]
    with pytest.raises(RuntimeError):
        torch.lerp(x, x.double(), 0.5)


def test_questions():
    x = torch.tensor([1.0, math.inf, -math.inf, math.nan, -0.0])
    assert x.isfinite().tolist() == [True, False, False, False, True]
    assert x.isinf().tolist() == [False, True, True, False, False] and x.isnan().tolist()[3]
    assert torch.isposinf(x).tolist()[1] and torch.isneginf(x).tolist()[2]
    assert torch.signbit(x).tolist() == [False, False, True, False, True]
    assert torch.nan_to_num(x, nan=7.0, posinf=1.0, neginf=-1.0).tolist() == [1, 1, -1, 7, 0]


def test_out_and_inplace_refuse_what_they_cannot_hold():
    x = torch.tensor([1.5, 2.5])
    with pytest.raises(RuntimeError):
        torch.add(x, x, out=torch.empty(2, dtype=torch.int64))
    with pytest.raises(RuntimeError):
        torch.ones(2, dtype=torch.int64).mul_(1.5)
    with pytest.raises(RuntimeError):
        torch.ones(2).add_(torch.ones(3, 2))
    out = torch.empty(2, dtype=torch.float64)
    assert torch.mul(x, 2, out=out) is out and out.tolist() == [3, 5]


def test_foreach():
    a, b = [torch.ones(2), torch.full((3,), 2.0)], [torch.full((2,), 3.0), torch.ones(3)]
    assert [x.tolist() for x in torch._foreach_add(a, b, alpha=2)] == [[7, 7], [4, 4, 4]]
    assert [x.tolist() for x in torch._foreach_mul(a, [2.0, 3.0])] == [[2, 2], [6, 6, 6]]
    assert [x.tolist() for x in torch._foreach_sqrt([torch.tensor([4.0])])] == [[2]]
    assert [x.tolist() for x in torch._foreach_pow(2, [torch.tensor([3.0])])] == [[8]]
    torch._foreach_add_(a, 1)
    torch._foreach_addcmul_(a, b, b, 2)
    assert a[0].tolist() == [20, 20]
    with pytest.raises(RuntimeError):
        torch._foreach_add(a, b[:1])
    with pytest.raises(RuntimeError):
        torch._foreach_neg([])
