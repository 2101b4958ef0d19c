// Linear products with packed weights and low-rank paths against their composed forms.
#include "hearth/ops/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "hearth/hearth.h"
#include "hearth/ops/lora.h"

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

struct LoraCase {
  Tensor x = random({19, 24}, 1).set_requires_grad(), w = random({31, 24}, 2),
         bias = random({31}, 3).set_requires_grad();
  Tensor a = random({4, 24}, 4).set_requires_grad(), b = random({31, 4}, 5).set_requires_grad(),
         dy = random({19, 31}, 6);
  double scale = 1.75;
  Tensor composed() const { return linear(x, w, bias) + linear(linear(x, a), b) * scale; }
  Tensor fused() const { return lora_linear(x, PackedLinear(w), bias, a, b, scale); }
};

TEST(LoraLinear, ValuesAndGradientsOfTheComposedForm) {
  const LoraCase c;
  expect_near(c.fused(), c.composed(), 3e-5);
  const TensorList wanted = {c.x, c.bias, c.a, c.b};
  const TensorList composed = grad({c.composed()}, wanted, {c.dy}), fused = grad({c.fused()}, wanted, {c.dy});
  for (size_t i = 0; i < wanted.size(); ++i) expect_near(fused[i], composed[i], 1e-4);
}

TEST(LoraLinear, SecondDerivatives) {
  const LoraCase c;
  const auto second = [&](const Tensor& y) {
    const TensorList first = grad({sum(y * y * c.dy)}, {c.x, c.a}, {}, {.create_graph = true});
    return grad({sum(first[0] * first[0]) + sum(first[1] * first[1])}, {c.b})[0];
  };
  const Tensor expected = second(c.composed());
  double scale = 0;
  for (double v : to_vector<double>(expected)) scale = std::max(scale, std::abs(v));
  expect_near(second(c.fused()), expected, 1e-4 * scale);
}

TEST(LoraLinear, ARowDoesNotSeeItsNeighbours) {
  const LoraCase c;
  const std::vector<float> all = to_vector<float>(c.fused());
  for (int64_t row : {0, 7, 18}) {
    const std::vector<float> alone =
        to_vector<float>(lora_linear(narrow(c.x, 0, row, 1), PackedLinear(c.w), c.bias, c.a, c.b, c.scale));
    EXPECT_EQ(alone, std::vector<float>(all.begin() + row * 31, all.begin() + (row + 1) * 31));
  }
}

TEST(LoraLinear, RefusesWhatDoesNotFit) {
  const LoraCase c;
  EXPECT_THROW(lora_linear(c.x, PackedLinear(c.w), {}, c.b, c.a, 1), ShapeError);
  EXPECT_THROW(lora_linear(random({3, 5}, 1), PackedLinear(c.w), {}, c.a, c.b, 1), ShapeError);
}

}  // namespace
}  // namespace hearth
