// Linear products with packed weights against their composed forms.
#include "hearth/ops/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "hearth/hearth.h"

namespace hearth {
namespace {

Tensor random(const Shape& shape, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(size_t(shape.numel()));
  for (float& v : values) v = float(double(engine()) / 2147483648.0 - 1.0);
  return from_values<float>(std::span<const float>(values), shape);
}

void expect_near(const Tensor& a, const Tensor& b, double tolerance) {
  const std::vector<double> x = to_vector<double>(a), y = to_vector<double>(b);
  ASSERT_EQ(x.size(), y.size());
  for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], tolerance) << "element " << i;
}

TEST(Linear, PackedIsTheSameBits) {
  const Tensor x = random({17, 40}, 1), w = random({23, 40}, 2), bias = random({23}, 3);
  const PackedLinear packed(w);
  EXPECT_EQ(to_vector<float>(linear(x, packed)), to_vector<float>(linear(x, w)));
  expect_near(linear(x, packed, bias), linear(x, w, bias), 1e-5);
  const Tensor batch = random({2, 3, 40}, 4);
  EXPECT_EQ(linear(batch, packed).shape(), (Shape{2, 3, 23}));
  EXPECT_EQ(to_vector<float>(linear(batch, packed)), to_vector<float>(linear(batch, w)));
}

TEST(Linear, PackedGradients) {
  const Tensor x = random({9, 12}, 1), w = random({7, 12}, 2), bias = random({7}, 3), dy = random({9, 7}, 4);
  x.set_requires_grad();
  bias.set_requires_grad();
  const TensorList plain = grad({linear(x, w, bias)}, {x, bias}, {dy});
  const TensorList packed = grad({linear(x, PackedLinear(w), bias)}, {x, bias}, {dy});
  expect_near(packed[0], plain[0], 1e-5);
  expect_near(packed[1], plain[1], 1e-5);
}

TEST(Linear, RefusesWhatDoesNotFit) {
  const Tensor w = random({7, 12}, 2);
  EXPECT_THROW(linear(random({9, 11}, 1), w), ShapeError);
  EXPECT_THROW(linear(random({9, 11}, 1), PackedLinear(w)), ShapeError);
  EXPECT_THROW(linear(to(random({9, 12}, 1), Dtype::float64), PackedLinear(w)), DtypeError);
  EXPECT_THROW(PackedLinear(random({7}, 1)), ShapeError);
}

}  // namespace
}  // namespace hearth
