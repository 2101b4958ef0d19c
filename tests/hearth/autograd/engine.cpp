// The backward engine: values, views written in place, second derivatives, deep graphs.
#include "hearth/autograd/engine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hearth/hearth.h"

namespace hearth {
namespace {

TEST(Engine, Product) {
  Tensor x = from_values<double>({1, 2, 3, 4}, {2, 2}).set_requires_grad();
  Tensor w = from_values<double>({5, 6, 7, 8}, {2, 2}).set_requires_grad();
  backward(sum(tanh(matmul(x, w)) * w));
  const TensorList g = grad({sum(exp(x * 0.1))}, {x});
  EXPECT_NEAR(to_vector<double>(g[0])[3], 0.1 * std::exp(0.4), 1e-12);
  EXPECT_TRUE(x.grad().defined());
}

TEST(Engine, SecondDerivative) {
  Tensor x = from_values<double>({0.3}).set_requires_grad();
  Tensor y = sum(x * x * x);
  const Tensor g = grad({y}, {x}, {}, {.create_graph = true})[0];
  const Tensor h = grad({sum(g)}, {x})[0];
  EXPECT_NEAR(h.item(), 6 * 0.3, 1e-12);
}

TEST(Engine, WriteIntoView) {
  Tensor x = from_values<double>({1, 2, 3}).set_requires_grad();
  Tensor buffer = zeros({2, 3}, Dtype::float64);
  copy_(select(buffer, 0, 1), x * x);
  mul_(select(buffer, 0, 1), 3);
  backward(sum(buffer * buffer));
  const std::vector<double> g = to_vector<double>(x.grad());
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(g[size_t(i)], 36 * std::pow(i + 1, 3), 1e-9);
}

TEST(Engine, ViewSeesWriteIntoBase) {
  Tensor x = from_values<double>({1, 2, 3}).set_requires_grad();
  Tensor y = x * 2;
  Tensor view = narrow(y, 0, 1, 2);
  mul_(y, 5);
  backward(sum(view));
  EXPECT_EQ(to_vector<double>(x.grad()), (std::vector<double>{0, 10, 10}));
}

TEST(Engine, RefusesSavedTensorWrittenInPlace) {
  Tensor x = from_values<double>({1, 2, 3}).set_requires_grad();
  Tensor y = x * 2;
  Tensor z = y * y;
  mul_(y, 2);
  EXPECT_THROW(backward(sum(z)), ValueError);
}

TEST(Engine, LeafWriteIsRefused) {
  Tensor x = from_values<double>({1, 2, 3}).set_requires_grad();
  EXPECT_THROW(mul_(x, 2), ValueError);
  NoGrad guard;
  mul_(x, 2);
  EXPECT_EQ(to_vector<double>(x), (std::vector<double>{2, 4, 6}));
}

TEST(Engine, MillionNodesDeep) {
  Tensor x = from_values<float>({1}).set_requires_grad();
  Tensor y = x;
  for (int i = 0; i < 1000000; ++i) y = neg(y);
  backward(y, {}, {.retain_graph = true});
  EXPECT_EQ(x.grad().item(), 1);
  y = Tensor();
}

TEST(Engine, Hooks) {
  Tensor x = from_values<double>({1, 2}).set_requires_grad();
  Tensor y = x * 3;
  y.retain_grad();
  y.register_hook([](const Tensor& g) { return g * 2; });
  backward(sum(y));
  EXPECT_EQ(to_vector<double>(x.grad()), (std::vector<double>{6, 6}));
  EXPECT_TRUE(y.grad().defined());
}

}  // namespace
}  // namespace hearth
