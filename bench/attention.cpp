// Attention: share of the processor's multiply-add rate in training, and bytes a second of keys and values in decoding.
#include "hearth/backend/kernels/attention.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/hearth.h"

namespace {

using namespace hearth;

/// Seconds so far: of the processor with one thread (a busy machine does not count), of the wall clock with more.
double now() {
  timespec t;
  clock_gettime(cpu::num_threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

template <class F>
double seconds(F f) {
  f();
  double best = 1e9;
  for (int repeat = 0; repeat < 7; ++repeat) {
    const double start = now();
    f();
    best = std::min(best, now() - start);
  }
  return best;
}

Tensor noise(const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  uint32_t state = 1;
  for (int64_t i = 0; i < x.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    x.data<float>()[i] = float(state >> 8) * 0x1p-23f - 1.0f;
  }
  return x;
}

Tensor integers(const std::vector<int64_t>& values) {
  return from_values<int64_t>(std::span<const int64_t>(values), {int64_t(values.size())});
}

/// The rate of a product whose operands stay in the second-level cache, in GFLOP/s: what the machine gives just now.
double product_rate() {
  const Tensor a = noise({192, 192}), b = noise({192, 192});
  double best = 0;
  for (int i = 0; i < 5; ++i) best = std::max(best, 2.0 * 192 * 192 * 192 / seconds([&] { matmul(a, b); }) * 1e-9);
  return best;
}

void train(int64_t sequences, int64_t length, int64_t heads, int64_t kv_heads, int64_t dim, double rate) {
  const int64_t tokens = sequences * length;
  const Tensor q = noise({tokens, heads, dim}).set_requires_grad(),
               k = noise({tokens, kv_heads, dim}).set_requires_grad(),
               v = noise({tokens, kv_heads, dim}).set_requires_grad(), dout = noise({tokens, heads, dim});
  std::vector<int64_t> ends;
  for (int64_t s = 0; s <= sequences; ++s) ends.push_back(s * length);
  const Tensor cu_seqlens = integers(ends);
  const double scale = 1 / std::sqrt(double(dim));
  const double flop = 4.0 * double(sequences * heads * dim) * double(length) * double(length + 1) / 2;
  const double forward = seconds([&] { attention(q, k, v, cu_seqlens, scale); });
  const Tensor y = attention(q, k, v, cu_seqlens, scale);
  const double backward = seconds([&] { grad({y}, {q, k, v}, {dout}, {.retain_graph = true}); });
  std::printf(
      "%2lld x %4lld tokens, heads %2lld/%lld of %3lld: forward %7.2f ms %6.1f GFLOP/s %3.0f %%, backward %7.2f ms "
      "%6.1f GFLOP/s %3.0f %%\n",
      (long long)sequences, (long long)length, (long long)heads, (long long)kv_heads, (long long)dim, forward * 1e3,
      flop / forward * 1e-9, 100 * flop / forward * 1e-9 / rate, backward * 1e3, 2.5 * flop / backward * 1e-9,
      100 * 2.5 * flop / backward * 1e-9 / rate);
}

void decode(int64_t sequences, int64_t context, int64_t heads, int64_t kv_heads, int64_t dim, Dtype dtype) {
  NoGrad guard;
  const int64_t pages = (context + 63) / 64;
  const AttentionCache cache = attention_cache(sequences * pages, 64, kv_heads, dim, dtype);
  fill_(cache.keys, 0.5);
  fill_(cache.values, 0.5);
  const Tensor table = view(arange(0, sequences * pages), {sequences, pages}), q = noise({sequences, heads, dim});
  const Tensor positions = full({sequences}, context - 1, Dtype::int64), ends = arange(0, sequences + 1);
  const double bytes = double(sequences * context * kv_heads * dim * 2) * double(dtype_size(dtype));
  const double t = seconds([&] { attention_cached(q, cache, table, ends, positions, 0.125); });
  std::printf("decode %2lld x %5lld keys, heads %2lld/%lld of %3lld, %-8s: %8.1f us %6.1f GB/s\n", (long long)sequences,
              (long long)context, (long long)heads, (long long)kv_heads, (long long)dim,
              dtype == Dtype::float32 ? "float32" : "bfloat16", t * 1e6, bytes / t * 1e-9);
}

}  // namespace

int main() {
  std::printf("%s, %d threads\n", std::string(cpu::isa_name(cpu::isa())).c_str(), cpu::num_threads());
  const double rate = product_rate();
  std::printf("product in cache: %.1f GFLOP/s (percentages below are of this)\n", rate);
  train(8, 256, 9, 3, 64, rate);
  train(2, 1024, 9, 3, 64, rate);
  train(1, 4096, 9, 3, 64, rate);
  train(2, 1024, 8, 8, 64, rate);
  train(2, 1024, 16, 8, 128, rate);
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
    decode(1, 256, 9, 3, 64, dtype);
    decode(1, 4096, 9, 3, 64, dtype);
    decode(8, 4096, 16, 8, 128, dtype);
  }
}
