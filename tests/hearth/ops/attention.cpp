// Attention: values, derivatives, and one set of bits in training, prefill and decoding, in any company.
#include "hearth/ops/attention.h"

#include "hearth/ops/fused_check.h"

namespace hearth {
namespace {

using namespace fused_check;

class Attention : public Machine {};

struct Batch {
  Tensor q, k, v, cu_seqlens;
  double scale;
  std::vector<int64_t> lengths;
  int64_t start(size_t s) const { return cu_seqlens.data<int64_t>()[s]; }
  int64_t tokens() const { return q.size(0); }
};

Batch make(const std::vector<int64_t>& lengths, int64_t heads, int64_t kv_heads, int64_t dim, uint64_t seed,
           Dtype dtype = Dtype::float32) {
  std::vector<int64_t> ends = {0};
  for (int64_t n : lengths) ends.push_back(ends.back() + n);
  const int64_t tokens = ends.back();
  return {random({tokens, heads, dim}, seed, dtype, 3),
          random({tokens, kv_heads, dim}, seed + 1, dtype, 3),
          random({tokens, kv_heads, dim}, seed + 2, dtype),
          integers(ends),
          1 / std::sqrt(double(dim)),
          lengths};
}

Batch widened(const Batch& b) {
  return {to(b.q, Dtype::float64), to(b.k, Dtype::float64), to(b.v, Dtype::float64), b.cu_seqlens, b.scale, b.lengths};
}

Tensor run(const Batch& b, bool causal = true) { return attention(b.q, b.k, b.v, b.cu_seqlens, b.scale, causal); }

/// The definition with plain loops in double.
Tensor naive(const Batch& b, bool causal) {
  const Tensor out = Tensor::empty(b.q.shape(), Dtype::float64);
  const Batch w = widened(b);
  const int64_t heads = b.q.size(1), kv_heads = b.k.size(1), dim = b.q.size(2);
  for (size_t s = 0; s < b.lengths.size(); ++s)
    for (int64_t i = 0; i < b.lengths[s]; ++i)
      for (int64_t h = 0; h < heads; ++h) {
        const int64_t first = b.start(s), seen = causal ? i + 1 : b.lengths[s], kv = h / (heads / kv_heads);
        const double* q = w.q.data<double>() + ((first + i) * heads + h) * dim;
        double* y = out.data<double>() + ((first + i) * heads + h) * dim;
        std::vector<double> p(static_cast<size_t>(seen));
        double top = -INFINITY, total = 0;
        for (int64_t j = 0; j < seen; ++j) {
          const double* k = w.k.data<double>() + ((first + j) * kv_heads + kv) * dim;
          for (int64_t d = 0; d < dim; ++d) p[size_t(j)] += b.scale * q[d] * k[d];
          top = std::max(top, p[size_t(j)]);
        }
        for (double& x : p) total += x = std::exp(x - top);
        for (int64_t d = 0; d < dim; ++d) {
          y[d] = 0;
          for (int64_t j = 0; j < seen; ++j)
            y[d] += p[size_t(j)] / total * w.v.data<double>()[((first + j) * kv_heads + kv) * dim + d];
        }
      }
  return out;
}

TEST_F(Attention, Values) {
  for (int64_t dim : {1, 3, 80, 128, 256})
    for (auto [heads, kv_heads] : {std::pair<int64_t, int64_t>{3, 1}, {4, 2}}) {
      const Batch b = make({1, 63, 64, 65, 0, 130}, heads, kv_heads, dim, uint64_t(dim));
      for (bool causal : {true, false}) {
        const Tensor expected = naive(b, causal);
        each_isa([&] { expect_close(run(b, causal), expected, 1e-5, 1e-5); });
        if (dim <= 16) expect_close(run(widened(b), causal), expected, 1e-12, 1e-12, "float64");
      }
    }
}

TEST_F(Attention, NarrowDtypes) {
  for (auto [dtype, tolerance] : {std::pair{Dtype::bfloat16, 1e-2}, std::pair{Dtype::float16, 1e-3}}) {
    const Batch b = make({20, 70}, 4, 2, 64, 1, dtype);
    const Tensor y = run(b);
    EXPECT_EQ(y.dtype(), dtype);
    expect_close(y, naive(b, true), tolerance, tolerance);
  }
}

TEST_F(Attention, ScoresFarApartDoNotOverflow) {
  Batch b = make({200}, 2, 1, 64, 3);
  b.scale = 1000;
  each_isa([&] {
    const Tensor y = run(b);
    for (float x : to_vector<float>(y)) ASSERT_TRUE(std::isfinite(x));
    // The products of the float kernel and of the reference differ; where one key wins by far they agree.
    ASSERT_TRUE(same_bits(narrow(y, 0, 0, 1), reshape(expand(narrow(b.v, 0, 0, 1), {1, 2, 64}), {1, 2, 64})));
  });
}

TEST_F(Attention, Derivatives) {
  for (bool causal : {true, false}) {
    const Batch b = make({3, 0, 4}, 4, 2, 3, 4, Dtype::float64);
    expect_gradients([&](const TensorList& x) { return attention(x[0], x[1], x[2], b.cu_seqlens, b.scale, causal); },
                     {mul(b.q, 0.4), mul(b.k, 0.4), b.v});
  }
}

TensorList gradients(const Batch& b, bool causal, const Tensor& dout, bool create_graph = false) {
  const TensorList xs = leaves({b.q, b.k, b.v});
  const Tensor y = attention(xs[0], xs[1], xs[2], b.cu_seqlens, b.scale, causal);
  return grad({y}, xs, {dout}, {.create_graph = create_graph});
}

TEST_F(Attention, FusedBackwardAgreesWithFloat64) {
  for (int64_t dim : {1, 3, 80})
    for (auto [heads, kv_heads] : {std::pair<int64_t, int64_t>{1, 1}, {3, 1}, {4, 2}}) {
      const Batch b = make({1, 65, 0, 70}, heads, kv_heads, dim, uint64_t(dim) + 5);
      const Tensor dout = random(b.q.shape(), 6);
      for (bool causal : {true, false}) {
        const TensorList expected = gradients(widened(b), causal, to(dout, Dtype::float64));
        each_isa([&] {
          const TensorList g = gradients(b, causal, dout);
          for (size_t k = 0; k < 3; ++k) expect_close(g[k], expected[k], 2e-4, 3e-5);
        });
        const TensorList composed = gradients(b, causal, dout, true);
        for (size_t k = 0; k < 3; ++k) expect_close(composed[k], expected[k], 2e-4, 3e-5, "composed");
      }
    }
}

TEST_F(Attention, RowsDoNotDependOnTheBatch) {
  const Batch b = make({1, 63, 200, 65, 64}, 6, 2, 80, 8);
  const Tensor dout = random(b.q.shape(), 9);
  each_isa([&] {
    const Tensor all = run(b);
    const TensorList g = gradients(b, true, dout);
    for (size_t s = 0; s < b.lengths.size(); ++s) {
      const auto part = [&](const Tensor& x) { return narrow(x, 0, b.start(s), b.lengths[s]); };
      const Batch alone{part(b.q), part(b.k), part(b.v), integers({0, b.lengths[s]}), b.scale, {b.lengths[s]}};
      ASSERT_TRUE(same_bits(run(alone), part(all))) << s;
      const TensorList own = gradients(alone, true, part(dout));
      for (size_t k = 0; k < 3; ++k) ASSERT_TRUE(same_bits(own[k], part(g[k]))) << s << " gradient " << k;
    }
    // A prefix of a sequence gives the first rows of the whole, and what follows cannot reach it, not even NaN.
    const Batch whole = make({200}, 6, 2, 80, 10);
    const Tensor rows = run(whole);
    for (int64_t n : {1, 2, 5, 63, 64, 65, 130}) {
      const auto cut = [&](const Tensor& x) { return narrow(x, 0, 0, n); };
      ASSERT_TRUE(
          same_bits(run({cut(whole.q), cut(whole.k), cut(whole.v), integers({0, n}), whole.scale, {n}}), cut(rows)))
          << n;
      Batch spoilt{whole.q, clone(whole.k), clone(whole.v), whole.cu_seqlens, whole.scale, {200}};
      fill_(narrow(spoilt.k, 0, n, 200 - n), NAN);
      fill_(narrow(spoilt.v, 0, n, 200 - n), INFINITY);
      ASSERT_TRUE(same_bits(cut(run(spoilt)), cut(rows))) << n;
    }
  });
}

TEST_F(Attention, BitsDoNotDependOnThreads) {
  const Batch b = make({1, 63, 200, 65, 64}, 6, 2, 64, 11);
  const Tensor dout = random(b.q.shape(), 12);
  for (bool causal : {true, false})
    expect_thread_invariant([&]() -> TensorList {
      TensorList results = gradients(b, causal, dout);
      results.push_back(run(b, causal));
      return results;
    });
}

TEST_F(Attention, ProjectionsAreReadInPlace) {
  const Batch b = make({70}, 4, 2, 24, 13);
  const int64_t widths[] = {4 * 24, 2 * 24, 2 * 24};
  Tensor fused = Tensor::empty({70, 8 * 24});
  int64_t at = 0;
  for (int i : {0, 1, 2}) {
    copy_(narrow(fused, 1, at, widths[i]), reshape(i == 0 ? b.q : i == 1 ? b.k : b.v, {70, widths[i]}));
    at += widths[i];
  }
  const auto heads = [&](int64_t from, int64_t count) {
    return unflatten(narrow(fused, 1, from * 24, count * 24), 1, {count, 24});
  };
  EXPECT_TRUE(same_bits(attention(heads(0, 4), heads(4, 2), heads(6, 2), b.cu_seqlens, b.scale), run(b)));
  const Tensor dout = random(b.q.shape(), 14);
  const Tensor odd = transpose(contiguous(transpose(b.k, 0, 2)), 0, 2);  // last stride not 1
  const TensorList expected = gradients(b, true, dout),
                   g = gradients({b.q, odd, b.v, b.cu_seqlens, b.scale, {70}}, true, dout);
  for (size_t k = 0; k < 3; ++k) EXPECT_TRUE(same_bits(g[k], expected[k]));
}

/// A cache with shuffled pages into which the batch's sequences were written `step` tokens at a time.
struct Pages {
  AttentionCache cache;
  Tensor table;
  Pages(const Batch& b, int64_t page_size, Dtype dtype = Dtype::float32) {
    int64_t most = 1;
    for (int64_t n : b.lengths) most = std::max(most, (n + page_size - 1) / page_size);
    const int64_t sequences = int64_t(b.lengths.size()), pages = sequences * most;
    cache = attention_cache(pages, page_size, b.k.size(1), b.k.size(2), dtype);
    table = Tensor::empty({sequences, most}, Dtype::int64);
    for (int64_t i = 0; i < pages; ++i) table.data<int64_t>()[i] = pages - 1 - i;
  }
};

TEST_F(Attention, PrefillAndDecodingHaveTheBitsOfTraining) {
  for (int64_t dim : {3, 64, 80})
    for (auto [heads, kv_heads] : {std::pair<int64_t, int64_t>{3, 3}, {6, 2}, {8, 1}}) {
      const Batch b = make({65, 3, 140}, heads, kv_heads, dim, uint64_t(dim) + 15);
      each_isa([&] {
        const Tensor training = run(b);
        for (int64_t page_size : {64, 192}) {
          Pages together(b, page_size);
          std::vector<int64_t> positions;
          for (int64_t n : b.lengths)
            for (int64_t i = 0; i < n; ++i) positions.push_back(i);
          attention_cache_write(together.cache, b.k, b.v, together.table, b.cu_seqlens, integers(positions));
          ASSERT_TRUE(same_bits(
              attention_cached(b.q, together.cache, together.table, b.cu_seqlens, integers(positions), b.scale),
              training));

          // Token by token, all sequences that still run in one step.
          Pages apart(b, page_size);
          for (int64_t i = 0; i < 140; ++i) {
            TensorList q, k, v, rows;
            std::vector<int64_t> ends = {0}, at;
            for (size_t s = 0; s < 3; ++s) {
              const bool runs = i < b.lengths[s];
              ends.push_back(ends.back() + runs);
              if (!runs) continue;
              at.push_back(i);
              rows.push_back(narrow(training, 0, b.start(s) + i, 1));
              q.push_back(narrow(b.q, 0, b.start(s) + i, 1));
              k.push_back(narrow(b.k, 0, b.start(s) + i, 1));
              v.push_back(narrow(b.v, 0, b.start(s) + i, 1));
            }
            const auto stack = [](const TensorList& parts) {
              Shape shape = parts[0].shape();
              shape[0] = int64_t(parts.size());
              const Tensor all = Tensor::empty(shape);
              for (size_t p = 0; p < parts.size(); ++p) copy_(narrow(all, 0, int64_t(p), 1), parts[p]);
              return all;
            };
            attention_cache_write(apart.cache, stack(k), stack(v), apart.table, integers(ends), integers(at));
            const Tensor y =
                attention_cached(stack(q), apart.cache, apart.table, integers(ends), integers(at), b.scale);
            ASSERT_TRUE(same_bits(y, stack(rows))) << "position " << i;
          }
        }
      });
    }
}

TEST_F(Attention, PrefillInUnevenPieces) {
  const Batch b = make({200}, 6, 2, 64, 21);
  each_isa([&] {
    const Tensor training = run(b);
    Pages pages(b, 64);
    for (int64_t at = 0, n = 1; at < 200; at += n, n = std::min<int64_t>(n * 3 + 1, 200 - at)) {
      const auto part = [&](const Tensor& x) { return narrow(x, 0, at, n); };
      const Tensor positions = arange(at, at + n), ends = integers({0, n});
      attention_cache_write(pages.cache, part(b.k), part(b.v), pages.table, ends, positions);
      ASSERT_TRUE(
          same_bits(attention_cached(part(b.q), pages.cache, pages.table, ends, positions, b.scale), part(training)))
          << at;
    }
  });
}

TEST_F(Attention, Bfloat16CacheIsAttentionOfRoundedKeysAndValues) {
  Batch b = make({130, 20}, 6, 2, 80, 22);
  b.k = to(to(b.k, Dtype::bfloat16), Dtype::float32);
  b.v = to(to(b.v, Dtype::bfloat16), Dtype::float32);
  std::vector<int64_t> positions;
  for (int64_t n : b.lengths)
    for (int64_t i = 0; i < n; ++i) positions.push_back(i);
  each_isa([&] {
    Pages pages(b, 128, Dtype::bfloat16);
    attention_cache_write(pages.cache, b.k, b.v, pages.table, b.cu_seqlens, integers(positions));
    ASSERT_TRUE(
        same_bits(attention_cached(b.q, pages.cache, pages.table, b.cu_seqlens, integers(positions), b.scale), run(b)));
  });
}

TEST_F(Attention, EmptyAndWrong) {
  const Tensor q = zeros({4, 2, 8}), k = zeros({4, 1, 8}), ends = integers({0, 4});
  EXPECT_EQ(attention(zeros({0, 2, 8}), zeros({0, 1, 8}), zeros({0, 1, 8}), integers({0}), 1).shape(),
            (Shape{0, 2, 8}));
  EXPECT_THROW(attention(q, zeros({4, 1, 7}), zeros({4, 1, 7}), ends, 1), ShapeError);
  EXPECT_THROW(attention(q, k, zeros({3, 1, 8}), ends, 1), ShapeError);
  EXPECT_THROW(attention(zeros({4, 3, 8}), zeros({4, 2, 8}), zeros({4, 2, 8}), ends, 1), ShapeError);
  EXPECT_THROW(attention(zeros({4, 1, 257}), zeros({4, 1, 257}), zeros({4, 1, 257}), ends, 1), ShapeError);
  EXPECT_THROW(attention(zeros({3, 2, 8}), k, k, integers({0, 3}), 1), ShapeError);
  EXPECT_THROW(attention(q, k, k, integers({0, 3}), 1), ValueError);
  EXPECT_THROW(attention(q, k, k, integers({0, 3, 2, 4}), 1), ValueError);
  EXPECT_THROW(attention(q, k, k, integers({1, 4}), 1), ValueError);
  EXPECT_THROW(attention(q, k, k, zeros({2}), 1), DtypeError);
  EXPECT_THROW(attention(q, to(k, Dtype::float64), k, ends, 1), DtypeError);
  EXPECT_THROW(attention_cache(4, 63, 1, 8), ValueError);
  EXPECT_THROW(attention_cache(4, 64, 1, 0), ValueError);
  EXPECT_THROW(attention_cache(4, 64, 1, 8, Dtype::float64), DtypeError);
  const AttentionCache cache = attention_cache(2, 64, 1, 8);
  const Tensor table = from_values<int64_t>({0, 1}, {1, 2}), at = arange(0, 4);
  EXPECT_THROW(attention_cache_write(cache, k, k, table, ends, integers({0, 1, 2, 128})), IndexError);
  EXPECT_THROW(attention_cache_write(cache, k, k, table, ends, integers({0, 1, 2, -1})), IndexError);
  EXPECT_THROW(attention_cache_write(cache, k, k, from_values<int64_t>({2, 1}, {1, 2}), ends, at), IndexError);
  EXPECT_THROW(attention_cache_write(cache, zeros({4, 2, 8}), zeros({4, 2, 8}), table, ends, at), ShapeError);
  EXPECT_THROW(attention_cache_write(cache, k, k, table, ends, integers({0})), ShapeError);
  EXPECT_THROW(attention_cached(q, cache, from_values<int64_t>({7, 1}, {1, 2}), ends, add(at, 64), 1), IndexError);
  EXPECT_THROW(attention_cached(zeros({4, 2, 9}), cache, table, ends, at, 1), ShapeError);
  EXPECT_THROW(attention_cached(clone(q).set_requires_grad(), cache, table, ends, at, 1), ValueError);
}

}  // namespace
}  // namespace hearth
