// The register tile of the matrix product and the loop of tiles over one panel of B. Included by simd/matmul.cpp only.
#pragma once

#include "hearth/backend/cpu/simd/matmul.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {

/// Rows and registers a tile: accumulators + one row of B + one broadcast fit the register file.
#if defined(HEARTH_ISA_avx512)
template <class T>
struct TileShape {
  static constexpr int rows = 8, vectors = 3, depth = 128;
};
#elif defined(HEARTH_ISA_avx2)
template <class T>
struct TileShape {
  static constexpr int rows = 6, vectors = 2, depth = 256;
};
#else
template <class T>
struct TileShape {
  static constexpr int rows = 4, vectors = 1, depth = 256;
};
#endif

/// Arguments of one tile; c points at its first element.
template <class T, class S>
struct TileCall {
  const T* a;
  int64_t a_row, a_col;
  int64_t depth;
  const S* b;
  int64_t b_row;
  T* c;
  int64_t c_row;
  bool load_c;
  const T* bias;
  int64_t ahead;  // rows of B to fetch ahead
};

/// Rows x (Vectors registers) of C: one fma chain an element, ascending depth.
template <class T, class S, int Rows, int Vectors>
[[gnu::noinline]] void tile(const TileCall<T, S>& call) {
  using V = Vec<T>;
  const int64_t c_row = call.c_row;
  T* const c = call.c;
  V sums[Rows][Vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      V start = V::zero();
      if (call.load_c) start = V::load(c + i * c_row + v * V::size);
      if (call.bias) start = start + V::load(call.bias + v * V::size);
      sums[i][v] = start;
    }
  const T* a = call.a;
  const S* b = call.b;
  const int64_t a_row = call.a_row, a_col = call.a_col, b_row = call.b_row;
  // Three row pointers and one stride reach every row by addressing modes alone.
  const T* a3 = a + 3 * a_row;
  const T* a6 = a + 6 * a_row;
  const char* next = (const char*)(b + call.ahead * b_row);
  for (int64_t k = call.depth; k > 0; --k) {
#pragma GCC unroll 4
    for (size_t line = 0; line < Vectors * V::size * sizeof(S); line += 64) __builtin_prefetch(next + line);
    next += b_row * int64_t(sizeof(S));
    V row[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) row[v] = load(b + v * V::size);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const T* from = i < 3 ? a : i < 6 ? a3 : a6;
      const V left = V::broadcast(from[(i % 3) * a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sums[i][v] = fma(left, row[v], sums[i][v]);
    }
    a += a_col;
    a3 += a_col;
    a6 += a_col;
    b += b_row;
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) sums[i][v].store(c + i * c_row + v * V::size);
}

/// One tile at the right edge of C, where a register reaches beyond the last column: worked on in a copy.
template <class T, class S, int Rows, int Vectors>
void edge_tile(TileCall<T, S> call, int64_t width) {
  constexpr int64_t padded = Vectors * Vec<T>::size;
  T c[Rows * padded], bias[padded];
  T* const home = call.c;
  for (int64_t i = 0; i < Rows; ++i)
    for (int64_t j = 0; j < padded; ++j) c[i * padded + j] = call.load_c && j < width ? home[i * call.c_row + j] : T(0);
  if (call.bias) {
    for (int64_t j = 0; j < padded; ++j) bias[j] = j < width ? call.bias[j] : T(0);
    call.bias = bias;
  }
  const int64_t home_row = call.c_row;
  call.c = c;
  call.c_row = padded;
  tile<T, S, Rows, Vectors>(call);
  for (int64_t i = 0; i < Rows; ++i) memcpy(home + i * home_row, c + i * padded, size_t(width) * sizeof(T));
}

template <class T, class S, int Rows, int Vectors>
void any_tile(const TileCall<T, S>& call, int64_t width) {
  if (width == Vectors * Vec<T>::size)
    tile<T, S, Rows, Vectors>(call);
  else
    edge_tile<T, S, Rows, Vectors>(call, width);
}

/// The tile of `rows` rows, by recursion over the row counts below a full tile.
template <class T, class S, int Rows, int Vectors>
void tile_of(int64_t rows, const TileCall<T, S>& call, int64_t width) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return tile_of<T, S, Rows - 1, Vectors>(rows, call, width);
  }
  any_tile<T, S, Rows, Vectors>(call, width);
}

template <class T, class S, int Vectors>
void panel_of(const PanelCall& p) {
  using Shape = TileShape<T>;
  // A single row of tiles streams B once; else a block of B is used by all tiles while it lies in the nearest cache.
  const int64_t block = p.rows <= Shape::rows ? p.depth : Shape::depth;
  const int64_t tiles = (p.rows + Shape::rows - 1) / Shape::rows;
  for (int64_t k = 0; k < p.depth || k == 0; k += block) {
    const int64_t depth = p.depth - k < block ? p.depth - k : block;
    for (int64_t t = 0; t < tiles; ++t) {  // tiles of nearly equal height: a low one would wait for its few chains
      const int64_t i = p.rows * t / tiles, rows = p.rows * (t + 1) / tiles - i;
      const TileCall<T, S> call{(const T*)p.a + i * p.a_row + k * p.a_col, p.a_row, p.a_col, depth,
                                (const S*)p.b + k * p.b_row, p.b_row, (T*)p.c + i * p.c_row, p.c_row, k > 0 || p.load_c,
                                k > 0 ? nullptr : (const T*)p.bias,
                                // The last tile of a block fetches the next block, which lies where this one ends.
                                t + 1 == tiles && tiles > 1 ? depth : 0};
      tile_of<T, S, Shape::rows, Vectors>(rows, call, p.width);
    }
    if (depth == 0) break;
  }
}

template <class T, class S, int Vectors = TileShape<T>::vectors>
void panel_by_width(const PanelCall& p) {
  if constexpr (Vectors > 1) {
    if (p.width <= (Vectors - 1) * Vec<T>::size) return panel_by_width<T, S, Vectors - 1>(p);
  }
  panel_of<T, S, Vectors>(p);
}

inline void panel_f32(const PanelCall& p) {
  if (p.b_storage == Storage::f32) return panel_by_width<float, float>(p);
  if (p.b_storage == Storage::bf16) return panel_by_width<float, Bf16>(p);
  panel_by_width<float, F16>(p);
}
inline void panel_f64(const PanelCall& p) { panel_by_width<double, double>(p); }

}  // namespace hearth::cpu::HEARTH_ISA
