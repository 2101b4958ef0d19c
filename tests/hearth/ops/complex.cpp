// Complex numbers: values and gradients against PyTorch's, parts as views, and what has no complex form.
#include "hearth/ops/complex.h"

#include <gtest/gtest.h>

#include "hearth/hearth.h"

namespace hearth {
namespace {

using c64 = std::complex<float>;
using c128 = std::complex<double>;
using Values = std::vector<c128>;

void expect_close(const Tensor& got, const Values& expected, double tolerance, const char* what) {
  const Values values = to_vector<c128>(got);
  ASSERT_EQ(values.size(), expected.size()) << what;
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i].real(), expected[i].real(), tolerance * (1 + std::abs(expected[i]))) << what << " " << i;
    EXPECT_NEAR(values[i].imag(), expected[i].imag(), tolerance * (1 + std::abs(expected[i]))) << what << " " << i;
  }
}

Tensor numbers() { return from_values<c128>({{0.5, 1.25}, {-1.5, -0.75}, {2, 0.1}, {-0.3, 0.02}}); }
Tensor weights() { return from_values<c128>({{1, -2}, {0.5, 1}, {-1, 0.25}, {2, 2}}); }

Tensor a22() { return from_values<c128>({{1, 2}, {0.5, -1}, {-2, 0.25}, {0, 3}}, {2, 2}).set_requires_grad(); }
Tensor b22() { return from_values<c128>({{0.5, 0.5}, {-1, 1}, {2, -1}, {1.5, 0}}, {2, 2}).set_requires_grad(); }

struct UnaryCase {
  const char* name;
  Tensor (*f)(const Tensor&);
  Values values, gradients;
};

const UnaryCase unary_cases[] = {
#include "complex_expected.inc"
};

TEST(Complex, FunctionsOfOneTensorAreAsInPyTorch) {
  for (const UnaryCase& c : unary_cases) {
    const Tensor z = numbers();
    z.set_requires_grad();
    const Tensor y = c.f(z);
    expect_close(y.detach(), c.values, 1e-13, c.name);
    backward(real(sum(mul(y, weights()))));
    EXPECT_EQ(z.grad().dtype(), Dtype::complex128);
    expect_close(z.grad(), c.gradients, 1e-12, c.name);
    expect_close(c.f(to(numbers(), Dtype::complex64)), c.values, 2e-6, c.name);
  }
}

TEST(Complex, FunctionsOfOneTensorHaveFirstAndSecondDerivatives) {
  for (const UnaryCase& c : unary_cases) {
    const TensorFunction f = [&](const TensorList& x) { return TensorList{c.f(x[0])}; };
    const TensorFunction of_view = [&](const TensorList& x) { return TensorList{c.f(transpose(x[0], 0, 1))}; };
    const Tensor z = reshape(numbers(), {2, 2});
    z.set_requires_grad();
    EXPECT_LT(gradcheck(f, {z}), 1e-6) << c.name;
    EXPECT_LT(gradcheck(of_view, {z}), 1e-6) << c.name;
    EXPECT_LT(gradgradcheck(f, {z}), 2e-5) << c.name;
  }
}

struct GradCase {
  const char* name;
  TensorFunction f;
};

const GradCase grad_cases[] = {
    {"mul", [](const TensorList& x) { return TensorList{mul(x[0], x[1])}; }},
    {"div", [](const TensorList& x) { return TensorList{div(x[0], x[1])}; }},
    {"pow", [](const TensorList& x) { return TensorList{pow(x[0], x[1])}; }},
    {"cube",
     [](const TensorList& x) {
       return TensorList{pow(x[0], 3), pow(x[0], 2), pow(x[0], 0.5)};
     }},
    {"power of a number",
     [](const TensorList& x) {
       return TensorList{pow(2, x[0]), pow(x[0], c128(1, 0.5))};
     }},
    {"number",
     [](const TensorList& x) {
       return TensorList{x[0] * c128(1, 2), x[0] / c128(0, 2), 3 / x[0]};
     }},
    {"logaddexp", [](const TensorList& x) { return TensorList{logaddexp(x[0], x[1])}; }},
    {"matmul", [](const TensorList& x) { return TensorList{matmul(x[0], x[1])}; }},
    {"vdot", [](const TensorList& x) { return TensorList{vdot(flatten(x[0]), flatten(x[1]))}; }},
    {"einsum",
     [](const TensorList& x) {
       return TensorList{einsum("ij,kj->ki", {x[0], x[1]})};
     }},
    {"addmm", [](const TensorList& x) { return TensorList{addmm(x[0], x[1], x[0], c128(0, 1), c128(2, 1))}; }},
    {"outer", [](const TensorList& x) { return TensorList{outer(flatten(x[0]), flatten(x[1]))}; }},
    {"kron", [](const TensorList& x) { return TensorList{kron(x[0], x[1])}; }},
    {"lerp", [](const TensorList& x) { return TensorList{lerp(x[0], x[1], 0.3)}; }},
    {"sum",
     [](const TensorList& x) {
       return TensorList{sum(x[0], {0}), sum(x[0], {}, true)};
     }},
    {"mean", [](const TensorList& x) { return TensorList{mean(x[0], {1})}; }},
    {"prod",
     [](const TensorList& x) {
       return TensorList{prod(x[0], {1}), prod(x[0])};
     }},
    {"cumsum", [](const TensorList& x) { return TensorList{cumsum(x[0], 0)}; }},
    {"cumprod", [](const TensorList& x) { return TensorList{cumprod(x[0], 0)}; }},
    {"var",
     [](const TensorList& x) {
       return TensorList{var(x[0], {0}), std(x[0])};
     }},
    {"norm",
     [](const TensorList& x) {
       return TensorList{norm(x[0]), norm(x[0], 3, {1}), norm(x[0], 1)};
     }},
    {"logsumexp", [](const TensorList& x) { return TensorList{logsumexp(x[0], {1})}; }},
    {"parts",
     [](const TensorList& x) {
       return TensorList{mul(real(x[0]), imag(x[0])), view_as_real(x[0])};
     }},
    {"complex", [](const TensorList& x) { return TensorList{complex(imag(x[0]), real(x[1]))}; }},
    {"polar", [](const TensorList& x) { return TensorList{polar(abs(x[0]), real(x[1]))}; }},
    {"where", [](const TensorList& x) { return TensorList{where(gt(real(x[0]), 0.1), x[0], x[1])}; }},
    {"concat",
     [](const TensorList& x) {
       return TensorList{cat({x[0], real(x[1])}, 1)};
     }},
    {"index",
     [](const TensorList& x) {
       return TensorList{index_select(x[0], 0, from_values<int64_t>({1, 1}))};
     }},
    {"as_strided",
     [](const TensorList& x) {
       return TensorList{as_strided(x[0], {3, 2}, {1, 1}, 0)};
     }},
    {"real times complex",
     [](const TensorList& x) {
       return TensorList{mul(real(x[0]), x[1]), div(abs(x[0]), x[1])};
     }},
    {"cast",
     [](const TensorList& x) {
       return TensorList{to(real(x[0]), Dtype::complex128), to(x[1], Dtype::float64)};
     }},
    {"scatter",
     [](const TensorList& x) {
       const Tensor at = from_values<int64_t>({0, 0, 0, 1}, {2, 2});
       return TensorList{scatter_add(x[0], 0, at, x[1]), scatter_reduce(x[0], 0, at, x[1], ScatterReduce::prod),
                         scatter_reduce(x[0], 0, at, x[1], ScatterReduce::mean)};
     }},
    {"linear", [](const TensorList& x) { return TensorList{linear(x[0], x[1], select(x[0], 0, 0))}; }},
};

TEST(Complex, FunctionsOfTwoTensorsHaveFirstAndSecondDerivatives) {
  for (const GradCase& c : grad_cases) {
    EXPECT_LT(gradcheck(c.f, {a22(), b22()}), 1e-6) << c.name;
    EXPECT_LT(gradgradcheck(c.f, {a22(), b22()}), 5e-5) << c.name;
  }
}

TEST(Complex, AgreesWithPyTorchOnTwoTensors) {
  const auto check_one = [](const char* name, const TensorFunction& f, const Values& value, const Values& da,
                            const Values& db) {
    const Tensor a = a22(), b = b22();
    const Tensor y = f({a, b})[0];
    expect_close(y.detach(), value, 1e-13, name);
    backward(real(sum(y)));
    expect_close(a.grad(), da, 1e-12, name);
    if (!db.empty()) expect_close(b.grad(), db, 1e-12, name);
  };
  check_one("pow", grad_cases[2].f,
            {{0.4958933099972861, 0.7022180709459005},
             {0.9332544845511013, 2.540278721074194},
             {48.315522300837316, -67.50782024086786},
             {-3.674234614174767, 3.6742346141747677}},
            {{0.21898980009377586, -0.16107609028404155},
             {-0.10379389303164399, 3.421636259109473},
             {-25.619505087324796, -88.46314325537091},
             {1.8371173070873836, -1.8371173070873834}},
            {{-0.3784050900435591, -1.1141158354144984},
             {2.9165911888582285, 0.7498280983721293},
             {237.55145200592787, -98.46323121788922},
             {-9.80803353431052, 1.7349149371462564}});
  check_one("matmul", [](const TensorList& x) { return TensorList{matmul(x[0], x[1])}; },
            {{-0.5, -1}, {-2.25, -2.5}, {1.875, 5.125}, {1.75, 2.25}}, {{-0.5, -1.5}, {3.5, 1}, {-0.5, -1.5}, {3.5, 1}},
            {{-1, -2.25}, {-1, -2.25}, {0.5, -2}, {0.5, -2}});
  check_one("cumprod", [](const TensorList& x) { return TensorList{cumprod(x[0], 1)}; },
            {{1, 2}, {2.5, 0}, {-2, 0.25}, {-0.75, -6}}, {{1.5, 1}, {1, -2}, {1, -3}, {-2, -0.25}}, {});
  check_one("var", [](const TensorList& x) { return TensorList{var(x[0], {0})}; }, {6.03125, 8.125},
            {{3, 1.75}, {0.5, -4}, {-3, -1.75}, {-0.5, 4}}, {});
  check_one("logsumexp", [](const TensorList& x) { return TensorList{logsumexp(x[0], {1})}; },
            {{0.10499301432446895, 1.7889591478473275}, {-0.13189541696037063, 2.941031240964169}},
            {{2.3930544684073864, -0.5126660306146696},
             {-1.3930544684073867, 0.5126660306146696},
             {-0.1390057709242068, 0.06724371743958908},
             {1.1390057709242067, -0.06724371743958894}},
            {});
}

TEST(Complex, ARealTensorGetsTheRealPartOfAComplexGradient) {
  const Tensor x = from_values<double>({1, -2}).set_requires_grad();
  const Tensor y = mul(mul(x, c128(0, 2)), from_values<c128>({{1, 1}, {3, -1}}));
  backward(real(sum(y)));
  EXPECT_EQ(x.grad().dtype(), Dtype::float64);
  EXPECT_EQ(to_vector<double>(x.grad()), (std::vector<double>{-2, 2}));
  EXPECT_TRUE(conj(x).is_same(x));
  EXPECT_TRUE(real(x).is_same(x));
  EXPECT_THROW(backward(sum(mul(x, c128(0, 1)))), DtypeError);
}

TEST(Complex, PartsAreViewsThatCanBeWritten) {
  const Tensor z = from_values<c64>({{1, 2}, {3, 4}, {5, 6}, {7, 8}}, {2, 2});
  const Tensor column = select(z, 1, 1);
  fill_(imag(column), -1);
  add_(real(z), 10);
  EXPECT_EQ(to_vector<c64>(z), (std::vector<c64>{{11, 2}, {13, -1}, {15, 6}, {17, -1}}));
  EXPECT_EQ(to_vector<float>(view_as_real(column)), (std::vector<float>{13, -1, 17, -1}));
  EXPECT_TRUE(equal(view_as_complex(view_as_real(transpose(z, 0, 1))), transpose(z, 0, 1)));
  EXPECT_EQ(view_as_complex(zeros({3, 0, 2})).shape(), (Shape{3, 0}));
  EXPECT_THROW(view_as_complex(zeros({2, 3})), ShapeError);
  EXPECT_THROW(view_as_complex(transpose(zeros({2, 3}), 0, 1)), ShapeError);
  EXPECT_THROW(view_as_complex(narrow(zeros({5}), 0, 1, 2)), ShapeError);
  EXPECT_THROW(view_as_complex(zeros({2}, Dtype::int32)), DtypeError);
  EXPECT_THROW(imag(zeros({2})), DtypeError);
  EXPECT_THROW(view_as_real(zeros({2})), DtypeError);
}

TEST(Complex, WritesIntoPartsAreDifferentiated) {
  const TensorFunction writes = [](const TensorList& x) {
    const Tensor z = mul(x[0], x[0]);
    mul_(real(z), imag(x[1]));
    copy_(select(imag(z), 0, 1), real(select(x[1], 0, 0)));
    const Tensor w = mul(view_as_real(x[1]), 2.0);
    mul_(view_as_complex(w), c128(1, 2));
    return TensorList{mul(z, x[1]), w};
  };
  EXPECT_LT(gradcheck(writes, {a22(), b22()}), 1e-6);
  EXPECT_LT(gradgradcheck(writes, {a22(), b22()}), 5e-5);
}

TEST(Complex, QuestionsAndComparisons) {
  const double inf = INFINITY, nan = NAN;
  const Tensor z = from_values<c128>({{0, 0}, {0, 1}, {inf, nan}, {1, nan}, {-0.0, 0}});
  const auto bools = [](const Tensor& x) { return to_vector<uint8_t>(x); };
  EXPECT_EQ(bools(isnan(z)), (std::vector<uint8_t>{0, 0, 1, 1, 0}));
  EXPECT_EQ(bools(isinf(z)), (std::vector<uint8_t>{0, 0, 1, 0, 0}));
  EXPECT_EQ(bools(isfinite(z)), (std::vector<uint8_t>{1, 1, 0, 0, 1}));
  EXPECT_EQ(bools(logical_not(z)), (std::vector<uint8_t>{1, 0, 0, 0, 1}));
  EXPECT_EQ(bools(logical_and(z, from_values<c128>({1, 1, 1, 1, 1}))), (std::vector<uint8_t>{0, 1, 1, 1, 0}));
  EXPECT_EQ(bools(isreal(z)), (std::vector<uint8_t>{1, 0, 0, 0, 1}));
  EXPECT_EQ(bools(eq(z, z)), (std::vector<uint8_t>{1, 1, 0, 0, 1}));
  EXPECT_EQ(bools(ne(z, 0)), (std::vector<uint8_t>{0, 1, 1, 1, 0}));
  EXPECT_EQ(count_nonzero(z).item(), 3);
  EXPECT_EQ(any(z).item(), 1);
  EXPECT_EQ(bools(all(reshape(narrow(z, 0, 0, 4), {2, 2}), {1})), (std::vector<uint8_t>{0, 1}));
  EXPECT_TRUE(allclose(a22(), add(a22(), c128(0, 1e-9))));
  EXPECT_FALSE(allclose(a22(), add(a22(), c128(0, 1e-3))));
}

TEST(Complex, DivisionScalesAndZeroIsAsInPyTorch) {
  const Tensor big = from_values<c128>({{1e300, 1e300}});
  expect_close(div(big, big), {1}, 1e-15, "scaled");
  const c128 by_zero = to_vector<c128>(div(from_values<c128>({{1, 1}}), zeros({1}, Dtype::complex128)))[0];
  EXPECT_TRUE(std::isinf(by_zero.real()) && std::isinf(by_zero.imag()));
  expect_close(pow(zeros({1}, Dtype::complex64), 0), {1}, 0, "to the 0");
  expect_close(pow(zeros({1}, Dtype::complex64), 2), {0}, 0, "squared");
  expect_close(prod(from_values<c64>({{1, 2}, {0, 0}, {3, 1}})), {0}, 0, "prod");
}

TEST(Complex, GradientsAtZeroAreFinite) {
  const Tensor z = zeros({2}, Dtype::complex128).set_requires_grad();
  backward(sum(add(add(abs(z), angle(z)), real(sgn(z)))));
  expect_close(z.grad(), {0, 0}, 0, "at 0");
  const Tensor x = from_values<c128>({{1, 2}, {0, 0}, {3, -1}}).set_requires_grad();
  backward(real(sum(add(prod(x), cumprod(x, 0)))));
  const TensorFunction products = [](const TensorList& v) { return TensorList{prod(v[0]), cumprod(v[0], 0)}; };
  EXPECT_LT(gradcheck(products, {x.detach().set_requires_grad()}), 1e-6);
}

TEST(Complex, ReductionsOfStridedAndEmptyTensors) {
  const Tensor x = from_values<c64>({{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, {11, 12}}, {3, 2});
  expect_close(sum(transpose(x, 0, 1), {1}), {{15, 18}, {21, 24}}, 0, "sum");
  expect_close(cumsum(transpose(x, 0, 1), 1), {{1, 2}, {6, 8}, {15, 18}, {3, 4}, {10, 12}, {21, 24}}, 0, "cumsum");
  expect_close(cumsum(x, 0), {{1, 2}, {3, 4}, {6, 8}, {10, 12}, {15, 18}, {21, 24}}, 0, "cumsum");
  expect_close(sum(zeros({0, 2}, Dtype::complex64), {0}), {0, 0}, 0, "empty sum");
  expect_close(prod(zeros({0, 2}, Dtype::complex64), {0}), {1, 1}, 0, "empty prod");
  EXPECT_EQ(matmul(zeros({2, 0}, Dtype::complex64), zeros({0, 3}, Dtype::complex64)).shape(), (Shape{2, 3}));
  EXPECT_EQ(exp(zeros({0, 3}, Dtype::complex128)).shape(), (Shape{0, 3}));
}

TEST(Complex, ProductsAreRowInvariant) {
  const Tensor a = randn({33, 70}, Dtype::complex64), b = randn({70, 21}, Dtype::complex64);
  const Tensor all_rows = matmul(a, b);
  for (int64_t row : {0, 7, 32})
    EXPECT_TRUE(equal(matmul(narrow(a, 0, row, 1), b), narrow(all_rows, 0, row, 1))) << row;
}

TEST(Complex, RandomNumbersAreThoseOfTheParts) {
  Generator g(5), h(5);
  const Tensor z = randn({40}, Dtype::complex128, &g), parts = randn({40, 2}, Dtype::float64, &h);
  EXPECT_TRUE(allclose(view_as_real(z), mul(parts, std::sqrt(0.5)), 1e-12));
  EXPECT_TRUE(equal(view_as_real(rand({3}, Dtype::complex64, &g)), rand({3, 2}, Dtype::float32, &h)));
}

TEST(Complex, WhatHasNoComplexFormIsRefused) {
  const Tensor z = ones({2, 2}, Dtype::complex64), x = ones({2, 2});
  const std::vector<std::function<void()>> refused = {
      [&] { lt(z, z); },
      [&] { gt(z, 0); },
      [&] { maximum(z, z); },
      [&] { fmin(z, z); },
      [&] { clamp(z, 0, 1); },
      [&] { sort(z); },
      [&] { topk(z, 1); },
      [&] { unique(z); },
      [&] { median(z); },
      [&] { max(z, 0); },
      [&] { amax(z); },
      [&] { argmin(z); },
      [&] { cummax(z, 0); },
      [&] { kthvalue(z, 1); },
      [&] { searchsorted(z, z); },
      [&] { floor(z); },
      [&] { ceil(z); },
      [&] { round(z); },
      [&] { trunc(z); },
      [&] { frac(z); },
      [&] { sign(z); },
      [&] { signbit(z); },
      [&] { isposinf(z); },
      [&] { floor_divide(z, z); },
      [&] { remainder(z, z); },
      [&] { fmod(z, z); },
      [&] { div(z, z, Rounding::trunc); },
      [&] { atan2(z, z); },
      [&] { hypot(z, z); },
      [&] { copysign(z, z); },
      [&] { bitwise_and(z, z); },
      [&] { bitwise_not(z); },
      [&] { erf(z); },
      [&] { lgamma(z); },
      [&] { erfinv(z); },
      [&] { logit(z); },
      [&] { relu(z); },
      [&] { gelu(z); },
      [&] { elu(z); },
      [&] { softplus(z); },
      [&] { hardtanh(z); },
      [&] { leaky_relu(z, 0.1); },
      [&] { mish(z); },
      [&] { nansum(z); },
      [&] { nanmean(z); },
      [&] { softmax(z, 0); },
      [&] { log_softmax(z, 0); },
      [&] { bernoulli(z); },
      [&] { mse_loss(z, z); },
      [&] { cdist(z, z); },
      [&] { add_(x, z); },
      [&] { mul_(x, c128(0, 1)); },
      [&] { histc(select(z, 0, 0), 2, 0, 1); },
      [&] { bincount(select(z, 0, 0)); },
      [&] { z.item(); },
      [&] {
        scatter_reduce(z, 0, zeros({2, 2}, Dtype::int64), z, ScatterReduce::amax);
      },
      [&] { to(x, Dtype::int64).set_requires_grad(); }};
  for (size_t i = 0; i < refused.size(); ++i) {
    try {
      refused[i]();
      ADD_FAILURE() << "case " << i << " was not refused";
    } catch (const DtypeError&) {
    } catch (const ValueError& error) {
      EXPECT_NE(std::string(error.what()).find("item"), std::string::npos) << i << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace hearth
