// Running sums, products and extremes: PyTorch's values and gradients, zeros, ties, NaN.
#include "hearth/ops/cumulative.h"

#include "frozen.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;

TEST(Cumulative, FrozenValuesAndGradients) {
  using Running = Tensor (*)(const Tensor&, int64_t);
  const std::pair<const char*, Running> functions[] = {
      {"cumsum", cumsum}, {"cumprod", cumprod}, {"logcumsumexp", logcumsumexp}};
  for (const auto& [name, f] : functions)
    frozen::check_op(
        name, [f = f](const TensorList& x, const Keywords& k) { return TensorList{f(x[0], k.integer("dim", 0))}; });
  using Extreme = ValueIndex (*)(const Tensor&, int64_t);
  const std::pair<const char*, Extreme> extremes[] = {{"cummax", cummax}, {"cummin", cummin}};
  for (const auto& [name, f] : extremes)
    frozen::check_op(name, [f = f](const TensorList& x, const Keywords& k) {
      const ValueIndex r = f(x[0], k.integer("dim", 0));
      return TensorList{r.values, r.indices};
    });
}

TEST(Cumulative, FirstAndSecondDerivatives) {
  const Tensor x = from_values<double>({0.3, -1.2, 0.8, 2.1, -0.6, 1.4, 0.9, -2.2}, {2, 4}).set_requires_grad();
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> functions[] = {
      {"cumsum", [](const Tensor& t) { return square(cumsum(t, 1)); }},
      {"cumprod", [](const Tensor& t) { return cumprod(t, 1); }},
      {"cumprod 0", [](const Tensor& t) { return cumprod(t, 0); }},
      {"logcumsumexp", [](const Tensor& t) { return logcumsumexp(t, 1); }},
      {"cummax", [](const Tensor& t) { return square(cummax(t, 1).values); }}};
  for (const auto& [name, f] : functions) {
    const auto run = [&f = f](const TensorList& in) { return TensorList{f(in[0])}; };
    EXPECT_LT(gradcheck(run, {x}), 1e-6) << name;
    EXPECT_LT(gradgradcheck(run, {x}), 1e-6) << name;
  }
}

TEST(Cumulative, EdgesAndErrors) {
  EXPECT_EQ(cumsum(zeros({0, 3}), 0).shape(), (Shape{0, 3}));
  EXPECT_EQ(cumsum(full({}, 3), 0).item(), 3);
  EXPECT_EQ(cumsum(from_values<bool>({true, true}), 0).dtype(), Dtype::int64);
  EXPECT_THROW(cumsum(zeros({2}), 1), IndexError);
  EXPECT_THROW(logcumsumexp(arange(0, 3), 0), DtypeError);
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(to_vector<double>(logcumsumexp(from_values<double>({-inf, -inf, 0}), 0)),
            (std::vector<double>{-inf, -inf, 0}));
}

}  // namespace
}  // namespace hearth
