// Linear cross-entropy: values, derivatives, ignored tokens, and log-probabilities with the bits of log_softmax.
#include "hearth/ops/cross_entropy.h"

#include "hearth/ops/fused_check.h"
#include "hearth/ops/index.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/softmax.h"

namespace hearth {
namespace {

using namespace fused_check;

class CrossEntropyTest : public Machine {};

/// Targets that walk over the vocabulary; every `skip`-th is ignored (0: none).
Tensor walk(int64_t tokens, int64_t vocab, int64_t skip) {
  std::vector<int64_t> targets;
  for (int64_t t = 0; t < tokens; ++t)
    targets.push_back(skip && t % skip == 1 ? ignored_token : (t * 7919 + 3) % vocab);
  return integers(targets);
}

Tensor expected_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  const Tensor all = log_softmax(matmul(hidden, transpose(weight, 0, 1)), -1);
  const Tensor result = zeros({hidden.size(0)}, all.dtype());
  for (int64_t t = 0; t < hidden.size(0); ++t) {
    const int64_t target = targets.data<int64_t>()[t];
    if (target != ignored_token)
      copy_(narrow(result, 0, t, 1), reshape(narrow(narrow(all, 0, t, 1), 1, target, 1), {1}));
  }
  return result;
}

TEST_F(CrossEntropyTest, BitsAreThoseOfLogSoftmax) {
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (auto [tokens, dim, vocab] : {std::array<int64_t, 3>{1, 3, 1}, {5, 16, 100}, {40, 33, 517}})
      for (int64_t skip : {0, 3}) {
        const Tensor hidden = random({tokens, dim}, 1, dtype, 3), weight = random({vocab, dim}, 2, dtype);
        const Tensor targets = walk(tokens, vocab, skip);
        each_isa([&, dim = dim, vocab = vocab] {
          const Tensor expected = expected_log_probs(hidden, weight, targets);
          ASSERT_TRUE(same_bits(linear_log_probs(hidden, weight, targets), expected)) << dim << " " << vocab;
          const CrossEntropy c = linear_cross_entropy(hidden, weight, targets);
          ASSERT_TRUE(same_bits(c.log_probs, expected));
          const TensorList xs = leaves({hidden, weight});  // with gradients computed alongside
          ASSERT_TRUE(same_bits(linear_cross_entropy(xs[0], xs[1], targets).log_probs, expected));
          double total = 0;
          for (double l : to_vector<double>(expected)) total -= l;
          ASSERT_NEAR(c.loss.item(), total, 1e-6 * (1 + total));
        });
      }
}

TEST_F(CrossEntropyTest, AVocabularyOfSeveralChunks) {
  // 131072 entries make chunks of 256 tokens; 270 tokens need two.
  const int64_t tokens = 270, vocab = 131072;
  const Tensor hidden = random({tokens, 2}, 3), weight = random({vocab, 2}, 4);
  const Tensor targets = walk(tokens, vocab, 0);
  const Tensor all = linear_log_probs(hidden, weight, targets);
  for (int64_t t : {0, 255, 256, 269})
    EXPECT_TRUE(
        same_bits(linear_log_probs(narrow(hidden, 0, t, 1), weight, narrow(targets, 0, t, 1)), narrow(all, 0, t, 1)));
  const TensorList xs = leaves({hidden, weight});
  const CrossEntropy c = linear_cross_entropy(xs[0], xs[1], targets);
  EXPECT_TRUE(same_bits(c.log_probs, all));
  const TensorList g = grad({c.loss}, xs);
  const TensorList ys = leaves({hidden, weight});
  const TensorList h = grad({neg(sum(linear_log_probs(ys[0], ys[1], targets)))}, ys);
  EXPECT_TRUE(same_bits(g[0], h[0]));
  EXPECT_TRUE(same_bits(g[1], h[1]));
}

TEST_F(CrossEntropyTest, Derivatives) {
  const Tensor hidden = random({4, 3}, 5, Dtype::float64, 2), weight = random({6, 3}, 6, Dtype::float64, 2);
  for (int64_t skip : {0, 2}) {
    const Tensor targets = walk(4, 6, skip);
    expect_gradients([&](const TensorList& x) { return linear_log_probs(x[0], x[1], targets); }, {hidden, weight});
    const Tensor token_weights = random({4}, 7, Dtype::float64);
    expect_gradients([&](const TensorList& x) { return linear_cross_entropy(x[0], x[1], targets, token_weights).loss; },
                     {hidden, weight});
  }
  expect_gradients([&](const TensorList& x) { return linear_cross_entropy(x[0], weight, walk(4, 6, 2)).loss; },
                   {hidden});
}

TEST_F(CrossEntropyTest, Float32GradientsAgreeWithFloat64) {
  const int64_t tokens = 50, vocab = 300;
  const Tensor targets = walk(tokens, vocab, 4), token_weights = random({tokens}, 8);
  const auto gradients = [&](Dtype dtype) {
    const TensorList xs = leaves({random({tokens, 20}, 9, dtype, 2), random({vocab, 20}, 10, dtype)});
    return grad({linear_cross_entropy(xs[0], xs[1], targets, to(token_weights, dtype)).loss}, xs);
  };
  const TensorList expected = gradients(Dtype::float64);
  each_isa([&] {
    const TensorList g = gradients(Dtype::float32);
    for (size_t k : {0, 1}) expect_close(g[k], expected[k], 1e-5, 2e-6);
  });
}

TEST_F(CrossEntropyTest, StoredLogits) {
  const Tensor targets = walk(7, 9, 3);
  expect_gradients([&](const TensorList& x) { return token_log_probs(x[0], targets); },
                   {random({7, 9}, 15, Dtype::float64, 3)});
  const Tensor hidden = random({7, 16}, 16), weight = random({9, 16}, 17);
  EXPECT_TRUE(same_bits(token_log_probs(matmul(hidden, transpose(weight, 0, 1)), targets),
                        linear_log_probs(hidden, weight, targets)));
  EXPECT_THROW(token_log_probs(zeros({2, 3}), integers({0, 3})), IndexError);
  EXPECT_THROW(token_log_probs(zeros({2, 3}), integers({0})), ShapeError);
  EXPECT_THROW(token_log_probs(zeros({2, 3}, Dtype::int64), integers({0, 1})), DtypeError);
}

TEST_F(CrossEntropyTest, Float32HiddenWithA16BitHead) {
  const Tensor hidden = random({30, 24}, 18), targets = walk(30, 60, 4);
  for (Dtype dtype : {Dtype::bfloat16, Dtype::float16}) {
    const Tensor weight = random({60, 24}, 19, dtype), wide = to(weight, Dtype::float32);
    EXPECT_TRUE(same_bits(linear_log_probs(hidden, weight, targets), linear_log_probs(hidden, wide, targets)));
    const TensorList xs = leaves({hidden, weight}), ys = leaves({hidden, wide});
    const TensorList g = grad({linear_cross_entropy(xs[0], xs[1], targets).loss}, xs);
    const TensorList h = grad({linear_cross_entropy(ys[0], ys[1], targets).loss}, ys);
    EXPECT_TRUE(same_bits(g[0], h[0]));
    EXPECT_TRUE(same_bits(g[1], to(h[1], dtype)));
  }
}

TEST_F(CrossEntropyTest, NarrowDtypes) {
  const Tensor targets = walk(20, 50, 3);
  for (Dtype dtype : {Dtype::bfloat16, Dtype::float16}) {
    const Tensor hidden = random({20, 16}, 11, dtype), weight = random({50, 16}, 12, dtype);
    const Tensor l = linear_log_probs(hidden, weight, targets);
    EXPECT_EQ(l.dtype(), Dtype::float32);
    expect_close(l, linear_log_probs(to(hidden, Dtype::float64), to(weight, Dtype::float64), targets), 2e-2, 2e-2);
    const TensorList xs = leaves({hidden, weight});
    const TensorList g = grad({linear_cross_entropy(xs[0], xs[1], targets).loss}, xs);
    EXPECT_EQ(g[0].dtype(), dtype);
    EXPECT_EQ(g[1].dtype(), dtype);
  }
}

TEST_F(CrossEntropyTest, BitsDoNotDependOnThreadsOrIgnoredNeighbours) {
  const int64_t tokens = 70, vocab = 500;
  const Tensor hidden = random({tokens, 48}, 13, Dtype::float32, 2), weight = random({vocab, 48}, 14);
  for (int64_t skip : {0, 3})
    expect_thread_invariant([&]() -> TensorList {
      const TensorList xs = leaves({hidden, weight});
      const CrossEntropy c = linear_cross_entropy(xs[0], xs[1], walk(tokens, vocab, skip));
      TensorList results = grad({c.loss}, xs);
      results.push_back(c.loss.detach());
      results.push_back(c.log_probs);
      return results;
    });
  const Tensor full = linear_log_probs(hidden, weight, walk(tokens, vocab, 0));
  const Tensor some = linear_log_probs(hidden, weight, walk(tokens, vocab, 3));
  for (int64_t t = 0; t < tokens; ++t)
    ASSERT_TRUE(same_bits(narrow(some, 0, t, 1), t % 3 == 1 ? zeros({1}) : narrow(full, 0, t, 1)));
}

TEST_F(CrossEntropyTest, EmptyAndWrong) {
  const Tensor hidden = zeros({2, 4}), weight = zeros({5, 4});
  const Tensor leaf = clone(hidden).set_requires_grad();
  const CrossEntropy none = linear_cross_entropy(leaf, weight, integers({-100, -100}));
  EXPECT_EQ(none.loss.item(), 0);
  EXPECT_EQ(to_vector<float>(grad({none.loss}, {leaf})[0]), std::vector<float>(8, 0.0f));
  EXPECT_EQ(linear_log_probs(zeros({0, 4}), weight, integers({})).shape(), (Shape{0}));
  EXPECT_THROW(linear_log_probs(hidden, weight, integers({1, 5})), IndexError);
  EXPECT_THROW(linear_log_probs(hidden, weight, integers({1, -1})), IndexError);
  EXPECT_THROW(linear_log_probs(hidden, weight, integers({1})), ShapeError);
  EXPECT_THROW(linear_log_probs(hidden, zeros({5, 3}), integers({1, 1})), ShapeError);
  EXPECT_THROW(linear_log_probs(hidden, zeros({5, 4}, Dtype::float64), integers({1, 1})), DtypeError);
  EXPECT_THROW(linear_log_probs(hidden, weight, zeros({2})), DtypeError);
  EXPECT_THROW(linear_cross_entropy(hidden, weight, integers({1, 1}), ones({3})), ShapeError);
  EXPECT_THROW(linear_cross_entropy(hidden, weight, integers({1, 1}), ones({2}, Dtype::float64)), DtypeError);
}

}  // namespace
}  // namespace hearth
