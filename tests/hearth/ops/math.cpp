// Functions of one tensor: PyTorch's values and gradients, special values, and derivatives by finite differences.
#include "hearth/ops/math.h"

#include "frozen.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/ops/inplace.h"

namespace hearth {
namespace {

using Function = Tensor (*)(const Tensor&);
struct Named {
  const char* name;
  Function f;
  double low, high;  ///< where the function and its derivatives are smooth
};

Tensor plain_logit(const Tensor& x) { return logit(x); }

const Named smooth[] = {
    {"neg", neg, -2, 2},
    {"abs", abs, 0.2, 2},
    {"square", square, -2, 2},
    {"sqrt", sqrt, 0.2, 3},
    {"rsqrt", rsqrt, 0.3, 3},
    {"reciprocal", reciprocal, 0.3, 3},
    {"exp", exp, -2, 2},
    {"expm1", expm1, -2, 2},
    {"exp2", exp2, -2, 2},
    {"log", log, 0.2, 3},
    {"log1p", log1p, -0.7, 3},
    {"log2", log2, 0.2, 3},
    {"log10", log10, 0.2, 3},
    {"sin", sin, -3, 3},
    {"cos", cos, -3, 3},
    {"tan", tan, -1, 1},
    {"asin", asin, -0.8, 0.8},
    {"acos", acos, -0.8, 0.8},
    {"atan", atan, -3, 3},
    {"sinh", sinh, -2, 2},
    {"cosh", cosh, -2, 2},
    {"tanh", tanh, -2, 2},
    {"asinh", asinh, -3, 3},
    {"acosh", acosh, 1.3, 3},
    {"atanh", atanh, -0.8, 0.8},
    {"erf", erf, -2, 2},
    {"erfc", erfc, -2, 2},
    {"erfinv", erfinv, -0.8, 0.8},
    {"lgamma", lgamma, 0.4, 4},
    {"sigmoid", sigmoid, -3, 3},
    {"logit", plain_logit, 0.15, 0.85},
    {"frac", frac, 0.1, 0.9},
};
const Named others[] = {{"ceil", ceil}, {"floor", floor}, {"trunc", trunc},
                        {"sgn", sign},  {"sign", sign},   {"digamma", digamma}};

TEST(Math, FrozenValuesAndGradients) {
  const auto run = [](const Named& n) {
    SCOPED_TRACE(n.name);
    frozen::check_op(n.name, [&](const TensorList& x, const frozen::Keywords&) { return TensorList{n.f(x[0])}; });
  };
  for (const Named& n : smooth) run(n);
  for (const Named& n : others) run(n);
  frozen::check_op("round", [](const TensorList& x, const frozen::Keywords& k) {
    return TensorList{round(x[0], k.integer("decimals", 0))};
  });
}

TEST(Math, FirstAndSecondDerivatives) {
  for (const Named& n : smooth) {
    const Tensor x = linspace(n.low, n.high, 9, Dtype::float64).set_requires_grad();
    const auto f = [&](const TensorList& in) { return TensorList{n.f(in[0])}; };
    EXPECT_LT(gradcheck(f, {x}), 1e-6) << n.name;
    EXPECT_LT(gradgradcheck(f, {x}), 1e-6) << n.name;
  }
  const Tensor x = linspace(0.4, 4, 9, Dtype::float64).set_requires_grad();
  EXPECT_LT(gradcheck([](const TensorList& in) { return TensorList{digamma(in[0])}; }, {x}), 1e-6);
}

TEST(Math, Dtypes) {
  EXPECT_EQ(exp(arange(0, 3)).dtype(), Dtype::float32);
  EXPECT_EQ(abs(from_values<int8_t>({-128, -1})).dtype(), Dtype::int8);
  EXPECT_EQ(to_vector<int64_t>(abs(from_values<int8_t>({-128, -1, 3}))), (std::vector<int64_t>{-128, 1, 3}));
  EXPECT_EQ(to_vector<int64_t>(neg(from_values<uint8_t>({1, 0}))), (std::vector<int64_t>{255, 0}));
  EXPECT_EQ(floor(arange(0, 3)).dtype(), Dtype::int64);
  EXPECT_EQ(sqrt(zeros({2}, Dtype::bfloat16)).dtype(), Dtype::bfloat16);
  EXPECT_THROW(neg(zeros({2}, Dtype::boolean)), DtypeError);
  EXPECT_THROW(frac(arange(0, 3)), DtypeError);
}

TEST(Math, InPlace) {
  Tensor x = from_values<float>({1, 4, 9});
  sqrt_(x);
  EXPECT_EQ(to_vector<float>(x), (std::vector<float>{1, 2, 3}));
  Tensor leaf = from_values<double>({0.3, -0.2}).set_requires_grad();
  Tensor y = leaf * 2;
  exp_(y);
  const std::vector<double> g = to_vector<double>(grad({sum(y)}, {leaf})[0]);
  EXPECT_NEAR(g[0], 2 * std::exp(0.6), 1e-12);
  EXPECT_THROW(exp_(leaf), ValueError);
  EXPECT_THROW(exp_(arange(0, 3)), DtypeError);
  EXPECT_THROW(neg_(expand(zeros({1}), {3})), ValueError);
}

}  // namespace
}  // namespace hearth
