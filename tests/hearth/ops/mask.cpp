// Masks: PyTorch's values, derivatives, dtypes, wrong input.
#include "hearth/ops/mask.h"

#include <gtest/gtest.h>

#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;

Tensor flags(std::initializer_list<bool> values, const Shape& shape) { return from_values<bool>(values, shape); }

TEST(Mask, AgreesWithPyTorch) {
  frozen::check_op("masked_fill", [](const TensorList& x, const Keywords& k) {
    return TensorList{masked_fill(x[0], x[1], k.number("value", 0))};
  });
  frozen::check_op("masked_select",
                   [](const TensorList& x, const Keywords&) { return TensorList{masked_select(x[0], x[1])}; });
  frozen::check_op("masked_scatter",
                   [](const TensorList& x, const Keywords&) { return TensorList{masked_scatter(x[0], x[1], x[2])}; });
  frozen::check_op("nonzero", [](const TensorList& x, const Keywords&) { return TensorList{nonzero(x[0])}; });
}

TEST(Mask, Derivatives) {
  const Tensor x = fused_check::random({2, 3}, 1, Dtype::float64).set_requires_grad();
  const Tensor s = fused_check::random({6}, 2, Dtype::float64).set_requires_grad();
  const Tensor mask = flags({true, false, true, false, true, true}, {2, 3}), row = flags({false, true, true}, {3});
  const std::vector<TensorFunction> functions = {
      [&](const TensorList& v) { return TensorList{tanh(masked_fill(v[0], row, sum(v[1] * v[1])))}; },
      [&](const TensorList& v) { return TensorList{tanh(masked_select(v[0], row)) * narrow(v[1], 0, 0, 4)}; },
      [&](const TensorList& v) { return TensorList{tanh(masked_scatter(v[0], mask, v[1])) * v[0]}; },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x, s}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x, s}), 1e-6) << i;
  }
}

TEST(Mask, GradientIgnoresWhatIsMasked) {
  Tensor x = from_values<double>({1, 2}).set_requires_grad();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  backward(masked_fill(x, flags({true, false}, {2}), 0), from_values<double>({nan, 1}));
  EXPECT_EQ(to_vector<double>(x.grad()), (std::vector<double>{0, 1}));
}

TEST(Mask, BroadcastsAndKeepsDtype) {
  const Tensor x = from_values<int32_t>({1, 2, 3});
  const Tensor y = masked_fill(x, flags({true, false}, {2, 1}), 7);
  EXPECT_EQ(y.dtype(), Dtype::int32);
  EXPECT_EQ(to_vector<int32_t>(y), (std::vector<int32_t>{7, 7, 7, 1, 2, 3}));
  masked_fill_(x, flags({false, true, true}, {3}), 9);
  EXPECT_EQ(to_vector<int32_t>(x), (std::vector<int32_t>{1, 9, 9}));
  const Tensor where = nonzero(transpose(reshape(from_values<float>({0, 2, 0, -1, 0, 3}), {2, 3}), 0, 1));
  EXPECT_EQ(to_vector<int64_t>(where), (std::vector<int64_t>{0, 1, 1, 0, 2, 1}));
  EXPECT_EQ(nonzero(scalar_tensor(3.0)).shape(), (Shape{1, 0}));
  EXPECT_EQ(nonzero(zeros({0, 2})).shape(), (Shape{0, 2}));
  EXPECT_EQ(masked_select(x, flags({false}, {1})).shape(), (Shape{0}));
}

TEST(Mask, RefusesWrongInput) {
  const Tensor x = zeros({3});
  EXPECT_THROW(masked_fill(x, zeros({3}), 1), DtypeError);
  EXPECT_THROW(masked_fill(x, flags({true, false}, {2}), 1), ShapeError);
  EXPECT_THROW(masked_fill(x, flags({true}, {1}), zeros({1})), ShapeError);
  EXPECT_THROW(masked_scatter(x, flags({true, true, true}, {3}), zeros({2})), ShapeError);
  EXPECT_THROW(masked_select(x, zeros({3}, Dtype::uint8)), DtypeError);
}

}  // namespace
}  // namespace hearth
