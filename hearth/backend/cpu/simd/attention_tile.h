// Attention tiles: the two register-blocked products that attention and its backward are made of.
#pragma once

#include "hearth/backend/cpu/simd/attention.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {

/// Rows of a register tile, and Vecs across: with one Vec for the shared operand and one broadcast they fit the
/// registers (6 x 4 of 32 on AVX-512, 6 x 2 of 16 on AVX2; a generic Vec may be two registers).
inline constexpr int tile_rows = 6;
#if defined(HEARTH_ISA_avx512)
inline constexpr int tile_vecs = 4;
#elif defined(HEARTH_ISA_avx2)
inline constexpr int tile_vecs = 2;
#else
inline constexpr int tile_vecs = 1;
#endif

/// s[r][j] = sum over i ascending of q[r][i] * kt[i][j], for R rows and N Vecs of keys. kt and s have 64 columns.
template <int R, int N>
inline void scores_tile(const float* const* q, int64_t dim, const float* kt, float* s) {
  using V = Vec<float>;
  V acc[R][N];
  const float* row[R];
  for (int r = 0; r < R; ++r) {
    row[r] = q[r];
    for (int n = 0; n < N; ++n) acc[r][n] = V::zero();
  }
  for (int64_t i = 0; i < dim; ++i) {
    V key[N];
    for (int n = 0; n < N; ++n) key[n] = V::load(kt + i * attention_block + n * V::size);
    for (int r = 0; r < R; ++r) {
      const V x = V::broadcast(row[r][i]);
      for (int n = 0; n < N; ++n) acc[r][n] = fma(x, key[n], acc[r][n]);
    }
  }
  for (int r = 0; r < R; ++r)
    for (int n = 0; n < N; ++n) acc[r][n].store(s + r * attention_block + n * V::size);
}

/// The same for at least the first `keys` columns; columns behind them may stay unwritten.
template <int R>
inline void scores(const float* const* q, int64_t dim, const float* kt, int64_t keys, float* s) {
  constexpr int size = Vec<float>::size;
  int64_t j = 0;
  for (; keys - j > (tile_vecs - 1) * size; j += tile_vecs * size) scores_tile<R, tile_vecs>(q, dim, kt + j, s + j);
  if constexpr (tile_vecs > 2)
    for (; keys - j > size; j += 2 * size) scores_tile<R, 2>(q, dim, kt + j, s + j);
  for (; j < keys; j += size) scores_tile<R, 1>(q, dim, kt + j, s + j);
}

/// Coefficients of a product tile: a(r, j) = a[r * row_step + j * column_step].
struct Coefficients {
  const float* a;
  int64_t row_step;
  int64_t column_step;
};

/// acc[r] = acc[r] * alpha[r] + sum over j ascending of a(r, j) * b[j]. Row r takes the first limit[r] terms only, and
/// the first `common` terms are common to all rows: a skipped term touches nothing, so what lies behind a row's limit
/// cannot reach it. N Vecs across from column c; alpha null: 1.
template <int R, int N>
inline void product_tile(Coefficients a, const float* b, int64_t stride, int64_t common, const int64_t* limit,
                         int64_t most, const float* alpha, float* const* acc, int64_t c) {
  using V = Vec<float>;
  V sum[R][N];
  for (int r = 0; r < R; ++r)
    for (int n = 0; n < N; ++n) {
      sum[r][n] = V::load(acc[r] + c + n * V::size);
      if (alpha) sum[r][n] *= V::broadcast(alpha[r]);
    }
  const float* coefficient = a.a;
  const float* from = b + c;
  for (int64_t j = 0; j < common; ++j) {
    V value[N];
    for (int n = 0; n < N; ++n) value[n] = V::load(from + n * V::size);
    for (int r = 0; r < R; ++r) {
      const V x = V::broadcast(coefficient[r * a.row_step]);
      for (int n = 0; n < N; ++n) sum[r][n] = fma(x, value[n], sum[r][n]);
    }
    coefficient += a.column_step;
    from += stride;
  }
  for (int64_t j = common; j < most; ++j) {
    for (int r = 0; r < R; ++r)
      if (j < limit[r]) {
        const V x = V::broadcast(coefficient[r * a.row_step]);
        for (int n = 0; n < N; ++n) sum[r][n] = fma(x, V::load(from + n * V::size), sum[r][n]);
      }
    coefficient += a.column_step;
    from += stride;
  }
  for (int r = 0; r < R; ++r)
    for (int n = 0; n < N; ++n) sum[r][n].store(acc[r] + c + n * V::size);
}

/// product_tile over all `stride` columns.
template <int R>
inline void product(Coefficients a, const float* b, int64_t stride, int64_t common, const int64_t* limit, int64_t most,
                    const float* alpha, float* const* acc) {
  constexpr int size = Vec<float>::size;
  int64_t c = 0;
  for (; c + tile_vecs * size <= stride; c += tile_vecs * size)
    product_tile<R, tile_vecs>(a, b, stride, common, limit, most, alpha, acc, c);
  if constexpr (tile_vecs > 2)
    for (; c + 2 * size <= stride; c += 2 * size) product_tile<R, 2>(a, b, stride, common, limit, most, alpha, acc, c);
  for (; c + size <= stride; c += size) product_tile<R, 1>(a, b, stride, common, limit, most, alpha, acc, c);
}

/// Calls f.operator()<R>() for R = rows, 1 to tile_rows.
template <class F>
inline void with_rows(int64_t rows, F f) {
  static_assert(tile_rows == 6);
  switch (rows) {
    case 1:
      return f.template operator()<1>();
    case 2:
      return f.template operator()<2>();
    case 3:
      return f.template operator()<3>();
    case 4:
      return f.template operator()<4>();
    case 5:
      return f.template operator()<5>();
    default:
      return f.template operator()<6>();
  }
}

/// z[i] = factor * x[i], i < dim; z is filled with zeros up to `stride`.
inline void scaled_copy(const float* x, float factor, int64_t dim, int64_t stride, float* z) {
  using V = Vec<float>;
  const V f = V::broadcast(factor);
  int64_t i = 0;
  for (; i + V::size <= dim; i += V::size) (V::load(x + i) * f).store(z + i);
  if (i < dim) (V::load(x + i, int(dim - i)) * f).store(z + i, int(dim - i));
  for (i = dim; i < stride; ++i) z[i] = 0;
}

inline float* aligned_part(float*& work, int64_t floats) {
  float* part = work;
  work += (floats + 15) / 16 * 16;
  return part;
}

}  // namespace hearth::cpu::HEARTH_ISA
