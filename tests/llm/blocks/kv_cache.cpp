// Pages of the cache: taken, shared, copied when written, given back, up to the limit.
#include "llm/blocks/kv_cache.h"

#include <gtest/gtest.h>

#include "hearth/hearth.h"

namespace hearth::llm {
namespace {

DecoderConfig config() {
  DecoderConfig c;
  c.num_hidden_layers = 2;
  c.num_key_value_heads = 2;
  c.head_dim = 12;
  return c;
}
/// Keys of 12, values of 16 (padded), 2 heads, 2 layers, 4 bytes.
constexpr int64_t page_bytes = 64 * (12 + 16) * 2 * 2 * 4;

/// Tokens at positions [first, end) of one sequence.
TokenBatch batch(int64_t first, int64_t end) {
  return {zeros({end - first}, Dtype::int64), arange(first, end), from_values<int64_t>({0, end - first})};
}

/// Writes numbers that tell positions and writers apart, reads what all of the sequence so far gives.
std::vector<float> write(KvCache& cache, int64_t sequence, int64_t first, int64_t end, double writer) {
  NoGrad guard;
  cache.begin({sequence}, batch(first, end));
  const Tensor x = mul(reshape(arange(first, end, 1, Dtype::float32), {end - first, 1, 1}), ones({1, 2, 12}));
  const Tensor k = mul(x, 0.01), v = add(mul(x, 1.0), full({1}, writer));
  Tensor out;
  for (size_t layer = 0; layer < 2; ++layer) out = cache.attend(layer, ones({end - first, 2, 12}), k, v, 0.3);
  const std::vector<float> rows = to_vector<float>(out);
  return {rows.end() - 12, rows.end()};
}

TEST(KvCache, ForksShareAndCopyWhenWritten) {
  KvCache cache(config());
  const int64_t a = cache.add();
  write(cache, a, 0, 100, 0);
  EXPECT_EQ(cache.pages_used(), 2);
  const int64_t b = cache.fork(a, 100), c = cache.fork(a, 40);
  EXPECT_EQ(cache.pages_used(), 2) << "nothing is copied yet";
  EXPECT_EQ(cache.pages_to_write(b, 100, 101), 1);
  EXPECT_EQ(cache.pages_to_write(c, 40, 41), 1);
  EXPECT_EQ(cache.pages_to_write(c, 40, 129), 3);
  const std::vector<float> by_b = write(cache, b, 100, 110, 500), by_a = write(cache, a, 100, 110, 0);
  EXPECT_EQ(cache.pages_used(), 3) << "the second page was copied once; who is left with it writes in place";
  EXPECT_NE(by_a, by_b);
  // Each is what a sequence of its own gives.
  KvCache fresh(config());
  const int64_t own_a = fresh.add(), own_b = fresh.add(), own_c = fresh.add();
  write(fresh, own_a, 0, 100, 0);
  EXPECT_EQ(write(fresh, own_a, 100, 110, 0), by_a);
  write(fresh, own_b, 0, 100, 0);
  EXPECT_EQ(write(fresh, own_b, 100, 110, 500), by_b);
  write(fresh, own_c, 0, 40, 0);
  EXPECT_EQ(write(fresh, own_c, 40, 70, 7), write(cache, c, 40, 70, 7));
  EXPECT_EQ(write(fresh, own_a, 110, 111, 0), write(cache, a, 110, 111, 0)) << "the fork's writing did not reach it";
  EXPECT_THROW(cache.fork(a, 200), ValueError);
}

TEST(KvCache, PagesComeBack) {
  KvCache cache(config(), Dtype::float32, 10 * page_bytes + 100);
  EXPECT_EQ(cache.max_pages(), 10);
  EXPECT_EQ(cache.pages_left(), 10);
  const int64_t a = cache.add();
  write(cache, a, 0, 300, 0);
  const int64_t b = cache.fork(a, 300);
  EXPECT_EQ(cache.pages_left(), 5);
  cache.remove(a);
  EXPECT_EQ(cache.pages_left(), 5) << "the fork holds them";
  cache.trim();
  EXPECT_GT(cache.bytes(), 0);
  cache.remove(b);
  EXPECT_EQ(cache.pages_left(), 10);
  cache.trim();
  EXPECT_EQ(cache.bytes(), 0);
  const int64_t c = cache.add();
  write(cache, c, 0, 640, 0);
  EXPECT_EQ(cache.pages_left(), 0);
  EXPECT_LE(cache.bytes(), 10 * page_bytes);
}

TEST(KvCache, TheLimitHolds) {
  KvCache cache(config(), Dtype::float32, 3 * page_bytes);
  const int64_t a = cache.add(), b = cache.add();
  const std::vector<float> before = write(cache, a, 0, 100, 0);
  EXPECT_THROW(cache.begin({b}, batch(0, 200)), OutOfMemoryError);
  cache.remove(b);
  EXPECT_EQ(cache.pages_left(), 1) << "what it had taken came back with it";
  EXPECT_EQ(write(cache, a, 99, 100, 0), before);
}

}  // namespace
}  // namespace hearth::llm
