// Embedding: PyTorch's values, padding, token-order gradients, wrong input.
#include "hearth/ops/embedding.h"

#include <gtest/gtest.h>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

Tensor ids(std::initializer_list<int64_t> values, const Shape& shape) { return from_values<int64_t>(values, shape); }

TEST(Embedding, AgreesWithPyTorch) {
  frozen::check_op("embedding", [](const TensorList& x, const frozen::Keywords& k) {
    const bool ids_first = !is_floating(x[0].dtype());
    std::optional<int64_t> padding;
    if (k.has("padding_idx")) padding = k.integer("padding_idx", 0);
    return TensorList{embedding(x[ids_first ? 1 : 0], x[ids_first ? 0 : 1], padding)};
  });
}

TEST(Embedding, Derivatives) {
  const Tensor table = fused_check::random({4, 3}, 1, Dtype::float64).set_requires_grad();
  const TensorFunction f = [](const TensorList& v) {
    return TensorList{tanh(embedding(v[0], ids({1, 3, 1}, {3, 1})))};
  };
  EXPECT_LT(gradcheck(f, {table}), 1e-6);
  EXPECT_LT(gradgradcheck(f, {table}), 1e-6);
  Tensor padded = zeros({3, 2}).set_requires_grad();
  backward(sum(embedding(padded, ids({2, 0, 2}, {3}), -1)));
  EXPECT_EQ(to_vector<float>(padded.grad()), (std::vector<float>{1, 1, 0, 0, 0, 0}));
}

TEST(Embedding, HalfGradientAddsUpInFloat32) {
  Tensor table = zeros({2, 1}, Dtype::bfloat16).set_requires_grad();
  backward(sum(to(embedding(table, zeros({1000}, Dtype::int64)), Dtype::float32)));
  // In bfloat16 steps the sum would stop at 256.
  EXPECT_EQ(to_vector<float>(table.grad())[0], 1000);
}

TEST(Embedding, SameBitsOnAnyNumberOfThreads) {
  const Tensor tokens = Tensor::empty({3000}, Dtype::int64);
  for (int64_t i = 0; i < 3000; ++i) tokens.data<int64_t>()[i] = i * i % 17;
  const Tensor dy = fused_check::random({3000, 96}, 2);
  const int threads = cpu::num_threads();
  Tensor first;
  for (int count : {1, 2, 3}) {
    cpu::set_num_threads(count);
    Tensor table = fused_check::random({17, 96}, 3).set_requires_grad();
    backward(embedding(table, tokens), dy);
    if (!first.defined()) first = table.grad();
    EXPECT_TRUE(fused_check::same_bits(first, table.grad())) << count;
  }
  cpu::set_num_threads(threads);
}

TEST(Embedding, RefusesWrongInput) {
  const Tensor table = zeros({4, 3});
  EXPECT_THROW(embedding(table, ids({4}, {1})), IndexError);
  EXPECT_THROW(embedding(table, ids({-1}, {1})), IndexError);
  EXPECT_THROW(embedding(table, zeros({2})), DtypeError);
  EXPECT_THROW(embedding(zeros({4}), ids({0}, {1})), ShapeError);
  EXPECT_THROW(embedding(table, ids({0}, {1}), 4), ValueError);
  EXPECT_EQ(embedding(table, zeros({2, 0}, Dtype::int64)).shape(), (Shape{2, 0, 3}));
}

}  // namespace
}  // namespace hearth
