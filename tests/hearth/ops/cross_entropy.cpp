// Linear cross-entropy: values, derivatives, ignored tokens, and log-probabilities with the bits of log_softmax.
#include "hearth/ops/cross_entropy.h"

#include "hearth/ops/concat.h"
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

LoraSegment path(int64_t rank, int64_t dim, int64_t vocab, int64_t begin, int64_t end, uint64_t seed) {
  return {random({rank, dim}, seed).set_requires_grad(), random({vocab, rank}, seed + 1).set_requires_grad(),
          1.0 + 0.25 * double(seed % 3), begin, end};
}

/// A head with low-rank paths for some of the tokens.
struct Adapted {
  Adapted(int64_t dim, int64_t vocab, Dtype base, int64_t skip, LoraSegments paths)
      : hidden(random({tokens, dim}, 21, Dtype::float32, 2).set_requires_grad()),
        head(random({vocab, dim}, 22, base)),
        targets(walk(tokens, vocab, skip)),
        factors(random({tokens}, 23)),
        segments(std::move(paths)) {}

  TensorList wanted() const {
    TensorList list = {hidden};
    for (const LoraSegment& s : segments) list.push_back(s.a), list.push_back(s.b);
    return list;
  }
  Tensor log_probs() const { return linear_log_probs(hidden, PackedLinear(head), targets, segments); }
  CrossEntropy cross_entropy() const {
    return linear_cross_entropy(hidden, PackedLinear(head), targets, factors, segments);
  }
  Tensor logits() const { return lora_linear(hidden, PackedLinear(head), {}, segments); }
  Tensor wide_logits() const {
    const Tensor x = to(hidden, Dtype::float64), w = to(head, Dtype::float64);
    TensorList parts;
    int64_t at = 0;
    const auto plain = [&](int64_t end) {
      if (end > at) parts.push_back(matmul(narrow(x, 0, at, end - at), transpose(w, 0, 1)));
    };
    for (const LoraSegment& s : segments) {
      plain(s.begin);
      const Tensor delta = mul(matmul(to(s.b, Dtype::float64), to(s.a, Dtype::float64)), s.scale);
      parts.push_back(matmul(narrow(x, 0, s.begin, s.end - s.begin), transpose(add(w, delta), 0, 1)));
      at = s.end;
    }
    plain(tokens);
    return cat(parts, 0);
  }

  static constexpr int64_t tokens = 60;
  Tensor hidden, head, targets, factors;
  LoraSegments segments;
};

LoraSegments three_paths(int64_t dim, int64_t vocab) {
  return {path(4, dim, vocab, 3, 21, 30), path(9, dim, vocab, 21, 22, 40), path(2, dim, vocab, 30, 55, 50)};
}

TEST_F(CrossEntropyTest, LowRankPathsHaveTheBitsOfStoredLogits) {
  for (Dtype base : {Dtype::float32, Dtype::bfloat16, Dtype::float16})
    for (int64_t skip : {0, 3}) {
      const Adapted c(48, 517, base, skip, three_paths(48, 517));
      each_isa([&] {
        const Tensor expected = token_log_probs(c.logits(), c.targets);
        const Tensor all = log_softmax(c.logits(), -1);
        for (int64_t t : {0, 4, 21, 54, 59}) {
          const int64_t target = c.targets.data<int64_t>()[t];
          if (target != ignored_token)
            ASSERT_TRUE(same_bits(narrow(expected, 0, t, 1), narrow(select(all, 0, t), 0, target, 1)));
        }
        ASSERT_TRUE(same_bits(c.log_probs(), expected));
        ASSERT_TRUE(same_bits(c.cross_entropy().log_probs, expected));
        ASSERT_TRUE(same_bits(linear_log_probs(c.hidden, c.head, c.targets, c.segments),
                              token_log_probs(lora_add(linear(c.hidden, c.head), c.hidden, c.segments), c.targets)));
        NoGrad guard;
        ASSERT_TRUE(same_bits(c.log_probs(), expected));
      });
    }
}

TEST_F(CrossEntropyTest, GradientsOfLowRankPathsAgreeWithFloat64) {
  for (int64_t skip : {0, 4}) {
    const Adapted c(20, 300, Dtype::float32, skip, three_paths(20, 300));
    const Tensor reference = token_log_probs(c.wide_logits(), c.targets);
    const Tensor wide = to(c.factors, Dtype::float64);
    const TensorList expected = grad({neg(sum(mul(reference, wide)))}, c.wanted());
    each_isa([&] {
      const TensorList xs = c.wanted(), fused = grad({c.cross_entropy().loss}, xs);
      const TensorList later = grad({neg(sum(mul(c.log_probs(), c.factors)))}, xs);
      const TensorList composed = grad({c.cross_entropy().loss}, xs, {}, {.create_graph = true});
      for (size_t k = 0; k < xs.size(); ++k) {
        expect_close(fused[k], expected[k], 1e-4, 2e-5, "fused");
        expect_close(composed[k], expected[k], 1e-4, 2e-5, "composed");
        EXPECT_TRUE(same_bits(later[k], fused[k])) << k;
      }
    });
  }
}

TEST_F(CrossEntropyTest, SecondDerivativesOfLowRankPaths) {
  const Adapted c(8, 30, Dtype::float32, 3, three_paths(8, 30));
  const auto second = [&](const Tensor& log_probs) {
    const TensorList first = grad({sum(mul(log_probs, to(c.factors, log_probs.dtype())))}, {c.hidden, c.segments[0].a},
                                  {}, {.create_graph = true});
    return grad({add(sum(mul(first[0], first[0])), sum(mul(first[1], first[1])))},
                {c.segments[0].b, c.segments[2].a, c.hidden});
  };
  const TensorList expected = second(token_log_probs(c.wide_logits(), c.targets)), got = second(c.log_probs());
  for (size_t k = 0; k < got.size(); ++k) expect_close(got[k], expected[k], 1e-3, 1e-4);
}

TEST_F(CrossEntropyTest, ALowRankPathDoesNotSeeTheRestOfThePass) {
  // 250000 entries make chunks of 128 tokens; the path of 120 tokens lies across two of them, or in one.
  const int64_t dim = 3, vocab = 250000, rows = 120;
  const Tensor hidden = random({200, dim}, 60), targets = walk(200, vocab, 5), factors = random({200}, 61);
  const PackedLinear head(random({vocab, dim}, 62));
  const LoraSegment own = path(4, dim, vocab, 70, 70 + rows, 63), other = path(2, dim, vocab, 10, 65, 64);
  const auto results = [&](const Tensor& all_hidden, int64_t first, const LoraSegments& segments) {
    const Tensor x = clone(all_hidden).set_requires_grad();
    const auto part = [&](const Tensor& y) { return narrow(y, 0, first, x.size(0)); };
    const CrossEntropy c = linear_cross_entropy(x, head, part(targets), part(factors), segments);
    TensorList list = grad({c.loss}, {x, own.a, own.b});
    list[0] = narrow(list[0], 0, own.begin - first, rows);
    list.push_back(narrow(c.log_probs, 0, own.begin - first, rows));
    return list;
  };
  LoraSegment moved = own;
  moved.begin = 0;
  moved.end = rows;
  const TensorList merged = results(hidden, 0, {other, own});
  const TensorList alone = results(narrow(hidden, 0, own.begin, rows), own.begin, {moved});
  for (size_t k = 0; k < merged.size(); ++k) EXPECT_TRUE(same_bits(merged[k], alone[k])) << k;
}

TEST_F(CrossEntropyTest, BitsOfLowRankPathsDoNotDependOnThreads) {
  for (Dtype base : {Dtype::float32, Dtype::bfloat16}) {
    const Adapted c(48, 1003, base, 3, three_paths(48, 1003));
    expect_thread_invariant([&] {
      const CrossEntropy result = c.cross_entropy();
      TensorList list = grad({result.loss}, c.wanted());
      list.push_back(result.loss.detach());
      list.push_back(result.log_probs);
      return list;
    });
  }
}

TEST_F(CrossEntropyTest, LowRankPathsWithoutTargetsAndWrongOnes) {
  const Adapted c(8, 30, Dtype::float32, 0, three_paths(8, 30));
  const std::vector<int64_t> none(size_t(Adapted::tokens), ignored_token);
  const CrossEntropy empty = linear_cross_entropy(c.hidden, PackedLinear(c.head), integers(none), {}, c.segments);
  for (const Tensor& g : grad({empty.loss}, c.wanted()))
    EXPECT_EQ(to_vector<float>(g), std::vector<float>(size_t(g.numel()), 0.0f));
  LoraSegments beyond = c.segments;
  beyond[2].end = Adapted::tokens + 1;
  EXPECT_THROW(linear_log_probs(c.hidden, c.head, c.targets, beyond), ValueError);
  EXPECT_THROW(linear_log_probs(c.hidden, c.head, c.targets, {path(4, 9, 30, 0, 5, 1)}), ShapeError);
  EXPECT_THROW(linear_log_probs(to(c.hidden, Dtype::float64), to(c.head, Dtype::float64), c.targets, c.segments),
               DtypeError);
}

/// Candidates [60, 4] of the case's tokens: one of them twice in a row, and weights of both signs.
struct Candidates {
  Candidates() {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < 60 * 4; ++i) ids.push_back(i % 4 == 3 ? ids.back() : (i * 7919 + 3) % 300);
    targets = reshape(integers(ids), {60, 4});
    factors = random({60, 4}, 77);
  }
  Tensor column(int64_t k) const { return contiguous(select(targets, 1, k)); }
  Tensor targets, factors;
};

TEST_F(CrossEntropyTest, SeveralCandidatesHaveTheBitsOfEachAlone) {
  const Adapted c(20, 300, Dtype::float32, 0, three_paths(20, 300));
  const Candidates many;
  each_isa([&] {
    for (const LoraSegments& segments : {LoraSegments(), c.segments}) {
      const PackedLinear packed(c.head);
      const Tensor all = linear_log_probs(c.hidden, packed, many.targets, segments);
      ASSERT_EQ(all.shape(), (Shape{60, 4}));
      ASSERT_TRUE(
          same_bits(linear_cross_entropy(c.hidden, packed, many.targets, many.factors, segments).log_probs, all));
      for (int64_t k = 0; k < 4; ++k)
        EXPECT_TRUE(
            same_bits(contiguous(select(all, 1, k)), linear_log_probs(c.hidden, packed, many.column(k), segments)));
    }
  });
}

TEST_F(CrossEntropyTest, GradientsOfSeveralCandidatesAreTheSumOverEach) {
  const Adapted c(20, 300, Dtype::float32, 0, three_paths(20, 300));
  const Candidates many;
  TensorList columns;
  for (int64_t k = 0; k < 4; ++k)
    columns.push_back(
        sum(mul(token_log_probs(c.wide_logits(), many.column(k)), to(select(many.factors, 1, k), Dtype::float64))));
  const TensorList expected = grad({neg(add(add(columns[0], columns[1]), add(columns[2], columns[3])))}, c.wanted());
  each_isa([&] {
    const PackedLinear packed(c.head);
    const TensorList xs = c.wanted();
    const Tensor loss = linear_cross_entropy(c.hidden, packed, many.targets, many.factors, c.segments).loss;
    const TensorList composed = grad({loss}, xs, {}, {.retain_graph = true, .create_graph = true});
    const TensorList fused = grad({loss}, xs);
    const Tensor apart = neg(sum(mul(linear_log_probs(c.hidden, packed, many.targets, c.segments), many.factors)));
    const TensorList later = grad({apart}, xs);
    for (size_t k = 0; k < xs.size(); ++k) {
      expect_close(fused[k], expected[k], 1e-4, 2e-5, "fused");
      expect_close(composed[k], expected[k], 1e-4, 2e-5, "composed");
      EXPECT_TRUE(same_bits(later[k], fused[k])) << k;
    }
  });
  const Tensor outside = clone(many.targets);
  outside.data<int64_t>()[7] = 300;
  EXPECT_THROW(linear_log_probs(c.hidden, c.head, outside), IndexError);
  outside.data<int64_t>()[7] = ignored_token;
  EXPECT_THROW(linear_log_probs(c.hidden, c.head, outside), IndexError);
  EXPECT_THROW(linear_cross_entropy(c.hidden, c.head, many.targets, select(many.factors, 1, 0)), ShapeError);
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
