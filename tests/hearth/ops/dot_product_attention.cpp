// Composed attention: PyTorch's values, derivatives, masks that hide everything, wrong input.
#include "hearth/ops/dot_product_attention.h"

#include <gtest/gtest.h>

#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using fused_check::random;

TEST(DotProductAttention, AgreesWithPyTorch) {
  frozen::check_op("attention", [](const TensorList& x, const frozen::Keywords& k) {
    AttentionOptions o;
    if (x.size() > 3) o.mask = x[3];
    o.is_causal = k.flag("is_causal", false);
    o.enable_gqa = k.flag("enable_gqa", false);
    if (k.has("scale")) o.scale = k.number("scale", 1);
    return TensorList{scaled_dot_product_attention(x[0], x[1], x[2], o)};
  });
}

TEST(DotProductAttention, Derivatives) {
  const Tensor q = random({1, 4, 3, 2}, 1, Dtype::float64).set_requires_grad();
  const Tensor k = random({1, 2, 3, 2}, 2, Dtype::float64).set_requires_grad();
  const Tensor v = random({1, 2, 3, 3}, 3, Dtype::float64).set_requires_grad();
  for (bool causal : {false, true}) {
    const TensorFunction f = [=](const TensorList& x) {
      return TensorList{scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = causal, .enable_gqa = true})};
    };
    EXPECT_LT(gradcheck(f, {q, k, v}), 1e-6);
    EXPECT_LT(gradgradcheck(f, {q, k, v}), 1e-6);
  }
}

TEST(DotProductAttention, QueryThatSeesNothingGivesZeros) {
  const Tensor q = random({2, 2}, 1).set_requires_grad(), k = random({3, 2}, 2), v = ones({3, 2});
  const Tensor mask = from_values<bool>({false, false, false, true, false, true}, {2, 3});
  const Tensor y = scaled_dot_product_attention(q, k, v, {.mask = mask});
  const std::vector<float> values = to_vector<float>(y.detach());
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], 0);
  EXPECT_NEAR(values[2], 1, 1e-6);
  EXPECT_NEAR(values[3], 1, 1e-6);
  backward(sum(y));
  for (float g : to_vector<float>(q.grad())) EXPECT_FALSE(std::isnan(g));
}

TEST(DotProductAttention, RefusesWrongInput) {
  const Tensor x = zeros({1, 2, 3, 4});
  EXPECT_THROW(scaled_dot_product_attention(x, zeros({1, 2, 3, 5}), x), ShapeError);
  EXPECT_THROW(scaled_dot_product_attention(x, x, zeros({1, 2, 4, 4})), ShapeError);
  EXPECT_THROW(scaled_dot_product_attention(x, to(x, Dtype::float64), x), DtypeError);
  EXPECT_THROW(scaled_dot_product_attention(x, x, x, {.mask = zeros({3, 3}), .is_causal = true}), ValueError);
  EXPECT_THROW(scaled_dot_product_attention(x, x, x, {.mask = zeros({2, 3})}), ShapeError);
  EXPECT_THROW(scaled_dot_product_attention(zeros({1, 3, 3, 4}), x, x, {.enable_gqa = true}), ShapeError);
}

}  // namespace
}  // namespace hearth
