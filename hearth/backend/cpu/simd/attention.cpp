// Attention forward: key blocks outside, tiles of query rows inside, each row with its own online softmax.
#include "hearth/backend/cpu/simd/attention.h"

#include "hearth/backend/cpu/simd/attention_backward.h"
#include "hearth/backend/cpu/simd/attention_tile.h"
#include "hearth/backend/cpu/simd/reduce.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

using V = Vec<float>;

/// A row between two blocks: the largest score so far, and per lane the sum of exp(s - max).
struct RowState {
  float max;
  float sums[16];
};

/// What a call works on; all rows padded to `stride` floats.
struct Work {
  float* q;       // [rows][stride], scaled
  float* out;     // [rows][stride], not yet divided by the sum
  float* scores;  // [tile_rows][64]
  float* key;     // [dim][64], for bfloat16 blocks
  float* value;   // [64][stride], likewise
  RowState* state;
  int64_t stride;
};

Work lay_out(const AttentionRows& rows, float* work) {
  Work w;
  w.stride = attention_value_stride(rows.dim);
  w.q = aligned_part(work, rows.rows * w.stride);
  w.out = aligned_part(work, rows.rows * w.stride);
  w.scores = aligned_part(work, tile_rows * attention_block);
  w.key = aligned_part(work, rows.dim * attention_block);
  w.value = aligned_part(work, attention_block * w.stride);
  w.state = reinterpret_cast<RowState*>(work);
  return w;
}

/// Turns the scores of R rows into exp(s - max), limit[r] keys a row (0: none); alpha[r] is the factor for what came
/// before the block.
template <int R>
inline void softmax_step(float* scores, const int64_t* limit, RowState* state, float* alpha) {
  alignas(64) float before[V::size] = {}, after[V::size] = {};
  for (int r = 0; r < R; ++r) {
    float* s = scores + r * attention_block;
    const int64_t padded = (limit[r] + V::size - 1) / V::size * V::size;
    for (int64_t j = limit[r]; j < padded; ++j) s[j] = -INFINITY;
    V top = V::broadcast(state[r].max);
    for (int64_t j = 0; j < padded; j += V::size) top = max(V::load(s + j), top);
    before[r] = state[r].max;
    after[r] = state[r].max = reduce(top, [](V a, V b) { return max(a, b); });
  }
  exp(V::load(before) - V::load(after)).store(before);
  for (int r = 0; r < R; ++r) {
    float* s = scores + r * attention_block;
    const V shift = V::broadcast(after[r]);
    V sum = V::zero();
    for (int64_t j = 0; j < limit[r]; j += V::size) {
      const V p = exp(V::load(s + j) - shift);
      p.store(s + j);
      sum += p;
    }
    alpha[r] = before[r];
    (V::load(state[r].sums) * V::broadcast(alpha[r]) + sum).store(state[r].sums);
  }
}

/// One tile of R rows against one block.
template <int R>
void tile_step(const AttentionRows& rows, int64_t first_row, int64_t first_key, const float* key, const float* value,
               const Work& w) {
  const float* q[R];
  float* out[R];
  float alpha[R];
  int64_t limit[R], common = attention_block, most = 0;
  for (int r = 0; r < R; ++r) {
    const int64_t left = rows.visible[first_row + r] - first_key;
    limit[r] = left < 0 ? 0 : left < attention_block ? left : attention_block;
    common = limit[r] < common ? limit[r] : common;
    most = limit[r] > most ? limit[r] : most;
    q[r] = w.q + (first_row + r) * w.stride;
    out[r] = w.out + (first_row + r) * w.stride;
  }
  if (most == 0) return;
  scores<R>(q, rows.dim, key, most, w.scores);
  softmax_step<R>(w.scores, limit, w.state + first_row, alpha);
  product<R>({w.scores, attention_block, 1}, value, w.stride, common, limit, most, alpha, out);
}

const float* widen(const Bf16* from, float* to, int64_t count) {
  for (int64_t i = 0; i < count; i += V::size) load(from + i).store(to + i);
  return to;
}

void finish(const AttentionRows& rows, const Work& w, float* const* out, float* lse) {
  for (int64_t r = 0; r < rows.rows; ++r) {
    const float sum = reduce(V::load(w.state[r].sums), [](V a, V b) { return a + b; });
    const V divisor = V::broadcast(sum);
    const float* from = w.out + r * w.stride;
    int64_t i = 0;
    for (; i + V::size <= rows.dim; i += V::size) (V::load(from + i) / divisor).store(out[r] + i);
    if (i < rows.dim) (V::load(from + i) / divisor).store(out[r] + i, int(rows.dim - i));
    lse[r] = w.state[r].max + logf(sum);
  }
}

void forward(const AttentionRows& rows, const AttentionBlocks& cache, float* const* out, float* lse, float* work) {
  const Work w = lay_out(rows, work);
  int64_t most = 0;
  for (int64_t r = 0; r < rows.rows; ++r) {
    scaled_copy(rows.q[r], rows.scale, rows.dim, w.stride, w.q + r * w.stride);
    most = rows.visible[r] > most ? rows.visible[r] : most;
    w.state[r].max = -INFINITY;
    for (float& sum : w.state[r].sums) sum = 0;
  }
  memset(w.out, 0, size_t(rows.rows * w.stride) * sizeof(float));
  for (int64_t block = 0; block * attention_block < most; ++block) {
    const float* key = static_cast<const float*>(cache.keys[block]);
    const float* value = static_cast<const float*>(cache.values[block]);
    if (cache.bfloat16) {
      key = widen(static_cast<const Bf16*>(cache.keys[block]), w.key, rows.dim * attention_block);
      value = widen(static_cast<const Bf16*>(cache.values[block]), w.value, attention_block * w.stride);
    }
    for (int64_t r = 0; r < rows.rows; r += tile_rows)
      with_rows(rows.rows - r, [&]<int R>() { tile_step<R>(rows, r, block * attention_block, key, value, w); });
  }
  finish(rows, w, out, lse);
}

float dot(const float* a, const float* b, int64_t dim) {
  return tree_sum<float>(
      dim, [&](int64_t i) { return V::load(a + i) * V::load(b + i); },
      [&](int64_t i, int count) { return V::load(a + i, count) * V::load(b + i, count); });
}

}  // namespace

extern const AttentionKernels attention_kernels = {forward, attention_backward, dot};

}  // namespace hearth::cpu::HEARTH_ISA
