// Products of a few rows with an operand that is used once, so packing it would cost more than the product: B is read
// where it lies, along its rows or its columns. Included by simd/matmul.cpp only.
#pragma once

#include "hearth/backend/cpu/simd/matmul.h"
#include "hearth/backend/cpu/simd/matmul_pack.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {

/// What sums start from: C and bias at column j, the first n lanes.
template <class T>
inline Vec<T> thin_start(const PanelCall& p, int64_t row, int64_t j, int n) {
  Vec<T> start = Vec<T>::zero();
  if (p.load_c) start = Vec<T>::load((const T*)p.c + row * p.c_row + j, n);
  if (p.bias) start = start + Vec<T>::load((const T*)p.bias + j, n);
  return start;
}

/// Rows x (Vectors registers) at column j, B's columns adjacent; `n` lanes of the last register exist.
template <class T, class S, int Rows, int Vectors>
void thin_rows(const PanelCall& p, int64_t j, int n) {
  using V = Vec<T>;
  constexpr int64_t ahead = 6;  // rows of B to fetch before they are needed: they are too short for the hardware
  V sums[Rows][Vectors];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) sums[r][v] = thin_start<T>(p, r, j + v * V::size, v + 1 < Vectors ? V::size : n);
  const T* a = (const T*)p.a;
  const S* b = (const S*)p.b + j;
  for (int64_t k = 0; k < p.depth; ++k, a += p.a_col, b += p.b_row) {
    const char* const next = (const char*)(b + (k + ahead < p.depth ? ahead * p.b_row : 0));
#pragma GCC unroll 8
    for (size_t line = 0; line < Vectors * V::size * sizeof(S); line += 64) __builtin_prefetch(next + line);
    V row[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v)
      row[v] = v + 1 < Vectors || n == V::size ? load(b + v * V::size) : load(b + v * V::size, n);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const V left = V::broadcast(a[r * p.a_row]);
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) sums[r][v] = fma(left, row[v], sums[r][v]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v)
      sums[r][v].store((T*)p.c + r * p.c_row + j + v * V::size, v + 1 < Vectors ? V::size : n);
}

template <class T, class S, int Rows>
void thin_by_rows(const PanelCall& p) {
  constexpr int64_t size = Vec<T>::size;
#if defined(HEARTH_ISA_avx512)
  constexpr int wide = Rows <= 2 ? 8 : 4;
#else
  constexpr int wide = Rows == 1 ? 8 : Rows == 2 ? 4 : 2;
#endif
  int64_t j = 0;
  for (; j + wide * size <= p.width; j += wide * size) thin_rows<T, S, Rows, wide>(p, j, size);
  for (; j < p.width; j += size) thin_rows<T, S, Rows, 1>(p, j, int(p.width - j < size ? p.width - j : size));
}

/// B's depth adjacent: squares of registers are transposed on the way into the sums.
template <class S, int Rows>
void thin_by_columns(const PanelCall& p) {
  using V = Vec<float>;
  constexpr int64_t size = V::size;
  for (int64_t j = 0; j < p.width; j += size) {
    const int n = int(p.width - j < size ? p.width - j : size);
    V sums[Rows];
    for (int r = 0; r < Rows; ++r) sums[r] = thin_start<float>(p, r, j, n);
    const S* const b = (const S*)p.b + j * p.b_col;
    for (int64_t k = 0; k < p.depth; k += size) {
      const int64_t deep = p.depth - k < size ? p.depth - k : size;
      V square[size];
#pragma GCC unroll 16
      for (int i = 0; i < size; ++i) {  // beyond the last column: any column, its sums are not stored
        const S* const from = b + (i < n ? i : 0) * p.b_col + k;
        square[i] = deep == size ? load(from) : load(from, int(deep));
      }
      transpose(square);
      const float* const a = (const float*)p.a + k * p.a_col;
      if (deep == size) {
#pragma GCC unroll 16
        for (int i = 0; i < size; ++i)
#pragma GCC unroll 4
          for (int r = 0; r < Rows; ++r) sums[r] = fma(V::broadcast(a[r * p.a_row + i * p.a_col]), square[i], sums[r]);
      } else {
        for (int i = 0; i < deep; ++i)
          for (int r = 0; r < Rows; ++r) sums[r] = fma(V::broadcast(a[r * p.a_row + i * p.a_col]), square[i], sums[r]);
      }
    }
    for (int r = 0; r < Rows; ++r) sums[r].store((float*)p.c + r * p.c_row + j, n);
  }
}

template <class T, class S, int Rows>
void thin_layout(const PanelCall& p) {
  if constexpr (sizeof(T) == 4) {
    if (p.b_col != 1) return thin_by_columns<S, Rows>(p);
  }
  thin_by_rows<T, S, Rows>(p);
}

template <class T, class S, int Rows = thin_row_limit>
void thin_of(const PanelCall& p) {
  if constexpr (Rows > 1) {
    if (p.rows < Rows) return thin_of<T, S, Rows - 1>(p);
  }
  thin_layout<T, S, Rows>(p);
}

inline void thin_f32(const PanelCall& p) {
  if (p.b_storage == Storage::f32) return thin_of<float, float>(p);
  if (p.b_storage == Storage::bf16) return thin_of<float, Bf16>(p);
  thin_of<float, F16>(p);
}
inline void thin_f64(const PanelCall& p) { thin_of<double, double>(p); }

}  // namespace hearth::cpu::HEARTH_ISA
