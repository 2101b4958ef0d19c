// Larger, smaller and bounds: PyTorch's values and gradients, ties, NaN.
#include "hearth/ops/clamp.h"

#include "frozen.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;

std::optional<Scalar> bound(const Keywords& k, const char* name) {
  return k.has(name) ? std::optional<Scalar>(k.number(name, 0)) : std::nullopt;
}

TEST(Clamp, FrozenValuesAndGradients) {
  using Binary = Tensor (*)(const Tensor&, const Tensor&);
  const std::pair<const char*, Binary> binaries[] = {
      {"maximum", maximum}, {"minimum", minimum}, {"fmax", fmax}, {"fmin", fmin}};
  for (const auto& [name, f] : binaries) {
    SCOPED_TRACE(name);
    frozen::check_op(name, [f = f](const TensorList& x, const Keywords&) { return TensorList{f(x[0], x[1])}; });
  }
  frozen::check_op("clamp", [](const TensorList& x, const Keywords& k) {
    return TensorList{x.size() == 3 ? clamp(x[0], x[1], x[2]) : clamp(x[0], bound(k, "min"), bound(k, "max"))};
  });
  frozen::check_op("nan_to_num",
                   [](const TensorList& x, const Keywords& k) {
                     const auto number = [&](const char* name) {
                       return k.has(name) ? std::optional<double>(k.number(name, 0)) : std::nullopt;
                     };
                     return TensorList{nan_to_num(x[0], k.number("nan", 0), number("posinf"), number("neginf"))};
                   },
                   {.float32 = 2e-5, .float64 = 1e300});
}

TEST(Clamp, Derivatives) {
  const Tensor x = from_values<double>({-2, -0.4, 0.3, 1.7}).set_requires_grad();
  const Tensor y = from_values<double>({-1.5, -0.7, 0.9, 1.1}).set_requires_grad();
  const auto f = [](const TensorList& in) {
    const Tensor a = in[0] * in[0] * in[0], b = in[1] * 2.0;
    return TensorList{maximum(a, b), minimum(a, b), fmax(a, b), fmin(a, b), clamp(a, -1.0, 2.0), clamp(a, b, Tensor())};
  };
  EXPECT_LT(gradcheck(f, {x, y}), 1e-6);
  EXPECT_LT(gradgradcheck(f, {x, y}), 1e-6);
}

TEST(Clamp, IntegersAndErrors) {
  EXPECT_EQ(to_vector<int64_t>(clamp(arange(0, 5), 1, 3)), (std::vector<int64_t>{1, 1, 2, 3, 3}));
  EXPECT_EQ(clamp(arange(0, 5), 0.5, std::nullopt).dtype(), Dtype::float32);
  EXPECT_THROW(clamp(zeros({2}), std::nullopt, std::nullopt), ValueError);
  EXPECT_THROW(clamp(zeros({2}), Tensor(), Tensor()), ValueError);
  Tensor x = arange(0, 5);
  clamp_(x, 2, std::nullopt);
  EXPECT_EQ(to_vector<int64_t>(x), (std::vector<int64_t>{2, 2, 2, 3, 4}));
  EXPECT_THROW(clamp_(x, 0.5, std::nullopt), DtypeError);
}

}  // namespace
}  // namespace hearth
