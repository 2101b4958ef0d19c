// Comparisons, logic and where: PyTorch's values, special numbers, gradients of where.
#include "hearth/ops/compare.h"

#include "frozen.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using Binary = Tensor (*)(const Tensor&, const Tensor&);
using Unary = Tensor (*)(const Tensor&);

TEST(Compare, FrozenValues) {
  const std::pair<const char*, Binary> binaries[] = {{"eq", eq},
                                                     {"ne", ne},
                                                     {"lt", lt},
                                                     {"le", le},
                                                     {"gt", gt},
                                                     {"ge", ge},
                                                     {"logical_and", logical_and},
                                                     {"logical_or", logical_or},
                                                     {"logical_xor", logical_xor}};
  for (const auto& [name, f] : binaries)
    frozen::check_op(name, [f = f](const TensorList& x, const frozen::Keywords&) { return TensorList{f(x[0], x[1])}; });
  const std::pair<const char*, Unary> unaries[] = {
      {"isnan", isnan},       {"isinf", isinf},     {"isfinite", isfinite},      {"isposinf", isposinf},
      {"isneginf", isneginf}, {"signbit", signbit}, {"logical_not", logical_not}};
  for (const auto& [name, f] : unaries)
    frozen::check_op(name, [f = f](const TensorList& x, const frozen::Keywords&) { return TensorList{f(x[0])}; });
  frozen::check_op("where",
                   [](const TensorList& x, const frozen::Keywords&) { return TensorList{where(x[0], x[1], x[2])}; });
}

TEST(Compare, NumbersAndIntegers) {
  const Tensor x = arange(0, 4);
  EXPECT_EQ(to_vector<int64_t>(gt(x, 1.5)), (std::vector<int64_t>{0, 0, 1, 1}));
  EXPECT_EQ(to_vector<int64_t>(eq(x, 2)), (std::vector<int64_t>{0, 0, 1, 0}));
  const int64_t big = (int64_t(1) << 53) + 1;
  EXPECT_EQ(to_vector<int64_t>(eq(from_values<int64_t>({big}), big - 1)), (std::vector<int64_t>{0}));
}

TEST(Compare, Closeness) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const Tensor a = from_values<double>({1, inf, -inf, nan, 1}), b = from_values<double>({1 + 1e-6, inf, inf, nan, 1.1});
  EXPECT_EQ(to_vector<int64_t>(isclose(a, b)), (std::vector<int64_t>{1, 1, 0, 0, 0}));
  EXPECT_EQ(to_vector<int64_t>(isclose(a, b, 1e-5, 1e-8, true)), (std::vector<int64_t>{1, 1, 0, 1, 0}));
  EXPECT_FALSE(allclose(a, b));
  EXPECT_TRUE(allclose(narrow(a, 0, 0, 2), narrow(b, 0, 0, 2)));
  EXPECT_TRUE(equal(arange(0, 3), arange(0, 3)));
  EXPECT_FALSE(equal(arange(0, 3), arange(0, 4)));
  EXPECT_THROW(isclose(a, arange(0, 5)), DtypeError);
}

TEST(Compare, WhereGradients) {
  const Tensor mask = from_values<bool>({true, false, true, false, true, false}, {2, 3});
  const Tensor x = from_values<double>({1, 2, 3}).set_requires_grad();
  const Tensor y = from_values<double>({4, 5}, {2, 1}).set_requires_grad();
  const auto f = [&](const TensorList& in) { return TensorList{where(mask, in[0] * in[0], in[1] * in[1])}; };
  EXPECT_LT(gradcheck(f, {x, y}), 1e-6);
  EXPECT_LT(gradgradcheck(f, {x, y}), 1e-6);
  EXPECT_THROW(where(arange(0, 3), x, x), DtypeError);
  EXPECT_THROW(where(mask, zeros({4}), x), ShapeError);
  EXPECT_EQ(where(mask, 1.0, arange(0, 3)).dtype(), Dtype::float32);
}

}  // namespace
}  // namespace hearth
