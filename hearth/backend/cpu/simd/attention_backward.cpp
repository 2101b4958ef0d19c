// Attention backward: recomputes a block's probabilities from lse, then three products into dq, dk and dv.
#include "hearth/backend/cpu/simd/attention_backward.h"

#include "hearth/backend/cpu/simd/attention_tile.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

using V = Vec<float>;

/// p = exp(s - lse) and ds = p * (dp - delta) for the first n of 64 keys of a row; 0 behind them.
inline void probability_row(float* p, float* ds, int64_t n, float lse, float delta) {
  const int64_t padded = (n + V::size - 1) / V::size * V::size;
  for (int64_t j = n; j < padded; ++j) p[j] = -INFINITY;
  for (int64_t j = n; j < padded; ++j) ds[j] = 0;
  const V shift = V::broadcast(lse), level = V::broadcast(delta);
  for (int64_t j = 0; j < padded; j += V::size) {
    const V probability = exp(V::load(p + j) - shift);
    probability.store(p + j);
    (probability * (V::load(ds + j) - level)).store(ds + j);
  }
  for (int64_t j = n; j < attention_block; ++j) p[j] = ds[j] = 0;
}

struct Part {
  const AttentionRows& rows;
  const float *q, *dout;  // [rows][stride]: scaled queries, output gradients
  float *p, *ds;          // [rows][64]
  int64_t stride, first, keys;
  int64_t limit(int64_t row) const {
    const int64_t left = rows.visible[row] - first;
    return left < 0 ? 0 : left < keys ? left : keys;
  }
};

/// p, ds and dq of R rows.
template <int R>
void row_tile(const Part& part, int64_t row, const float* lse, const float* delta, const float* k, const float* kt,
              const float* vt, float* const* dq) {
  const float *q[R], *dout[R];
  int64_t limit[R], common = attention_block, most = 0;
  for (int r = 0; r < R; ++r) {
    q[r] = part.q + (row + r) * part.stride;
    dout[r] = part.dout + (row + r) * part.stride;
    limit[r] = part.limit(row + r);
    common = limit[r] < common ? limit[r] : common;
    most = limit[r] > most ? limit[r] : most;
  }
  float *p = part.p + row * attention_block, *ds = part.ds + row * attention_block;
  if (most > 0) {
    scores<R>(q, part.rows.dim, kt, most, p);
    scores<R>(dout, part.rows.dim, vt, most, ds);
  }
  for (int r = 0; r < R; ++r)
    probability_row(p + r * attention_block, ds + r * attention_block, limit[r], lse[row + r], delta[row + r]);
  product<R>({ds, attention_block, 1}, k, part.stride, common, limit, most, nullptr, dq + row);
}

/// target[key] += sum over rows ascending of a[row][key] * b[row].
void key_products(const float* a, const float* b, const Part& part, int64_t first_row, float* target) {
  const int64_t rows = part.rows.rows - first_row;
  for (int64_t key = 0; key < part.keys; key += tile_rows)
    with_rows(part.keys - key, [&]<int R>() {
      float* to[R];
      int64_t limit[R];
      for (int r = 0; r < R; ++r) to[r] = target + (key + r) * part.stride;
      for (int r = 0; r < R; ++r) limit[r] = rows;
      product<R>({a + first_row * attention_block + key, 1, attention_block}, b + first_row * part.stride, part.stride,
                 rows, limit, rows, nullptr, to);
    });
}

}  // namespace

void attention_backward(const AttentionRows& rows, const float* const* dout, const float* lse, const float* delta,
                        const float* k, const float* kt, const float* vt, int64_t first, int64_t keys, float* const* dq,
                        float* dk, float* dv, float* work) {
  const int64_t stride = attention_value_stride(rows.dim);
  float* q_rows = aligned_part(work, rows.rows * stride);
  float* dout_rows = aligned_part(work, rows.rows * stride);
  float* p = aligned_part(work, rows.rows * attention_block);
  float* ds = aligned_part(work, rows.rows * attention_block);
  for (int64_t r = 0; r < rows.rows; ++r) {
    scaled_copy(rows.q[r], rows.scale, rows.dim, stride, q_rows + r * stride);
    scaled_copy(dout[r], 1.0f, rows.dim, stride, dout_rows + r * stride);
  }
  const Part part{rows, q_rows, dout_rows, p, ds, stride, first, keys};
  for (int64_t r = 0; r < rows.rows; r += tile_rows)
    with_rows(rows.rows - r, [&]<int R>() { row_tile<R>(part, r, lse, delta, k, kt, vt, dq); });
  int64_t first_row = 0;
  while (first_row < rows.rows && part.limit(first_row) == 0) ++first_row;
  key_products(p, dout_rows, part, first_row, dv);
  key_products(ds, q_rows, part, first_row, dk);
}

}  // namespace hearth::cpu::HEARTH_ISA
