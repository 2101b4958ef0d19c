// Activation layers and dropout.
#include "hearth/nn/activation.h"

#include <gtest/gtest.h>

#include "hearth/core/random.h"
#include "hearth/ops/create.h"
#include "hearth/ops/softmax.h"

namespace hearth {
namespace {

void expect_same(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(to_vector<float>(a.detach()), to_vector<float>(b.detach()));
}

TEST(Activation, LayersCallTheirOps) {
  const Tensor x = from_values<float>({-2, -0.5, 0, 1, 3, 7}, {2, 3});
  expect_same(nn::ReLU()(x), relu(x));
  expect_same(nn::SiLU()(x), silu(x));
  expect_same(nn::GELU()(x), gelu(x));
  expect_same(nn::GELU(Gelu::tanh)(x), gelu(x, Gelu::tanh));
  expect_same(nn::LeakyReLU(0.3)(x), leaky_relu(x, 0.3));
  expect_same(nn::ELU(0.5)(x), elu(x, 0.5));
  expect_same(nn::Softplus(2, 5)(x), softplus(x, 2, 5));
  expect_same(nn::Softmax(0)(x), softmax(x, 0));
  expect_same(nn::LogSoftmax(1)(x), log_softmax(x, 1));
  expect_same(nn::PReLU()(x), leaky_relu(x, 0.25));
}

TEST(Dropout, DropsInTrainingOnlyAndAsTheSeedSays) {
  nn::Dropout half(0.5);
  const Tensor x = ones({64});
  manual_seed(5);
  const Tensor first = half(x);
  manual_seed(5);
  expect_same(half(x), first);
  int zeros = 0;
  for (float value : to_vector<float>(first)) {
    EXPECT_TRUE(value == 0 || value == 2);
    zeros += value == 0;
  }
  EXPECT_GT(zeros, 10);
  EXPECT_LT(zeros, 54);
  half.eval();
  expect_same(half(x), x);
  EXPECT_THROW(nn::Dropout(1.5), ValueError);
}

}  // namespace
}  // namespace hearth
