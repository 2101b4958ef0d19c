// Packing of matrix operands: copies, conversions and register transposes. Included by simd/matmul.cpp only.
#pragma once

#include "hearth/backend/cpu/simd/matmul.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {

/// Transposes a square of Vec<float>::size rows held in registers.
#if defined(HEARTH_ISA_avx512)
inline void transpose(Vec<float>* r) {
  __m512 t[16], u[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {  // u[4i + c] holds, per 128-bit lane l, column 4l + c of rows 4i .. 4i + 3
    u[4 * i] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const __m512 even01 = _mm512_shuffle_f32x4(u[c], u[4 + c], 0x88),
                 odd01 = _mm512_shuffle_f32x4(u[c], u[4 + c], 0xdd);
    const __m512 even23 = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0x88);
    const __m512 odd23 = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0xdd);
    r[c].v = _mm512_shuffle_f32x4(even01, even23, 0x88);
    r[8 + c].v = _mm512_shuffle_f32x4(even01, even23, 0xdd);
    r[4 + c].v = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
    r[12 + c].v = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
  }
}
#elif defined(HEARTH_ISA_avx2)
inline void transpose(Vec<float>* r) {
  __m256 t[8], u[8];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    u[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    r[c].v = _mm256_permute2f128_ps(u[c], u[4 + c], 0x20);
    r[4 + c].v = _mm256_permute2f128_ps(u[c], u[4 + c], 0x31);
  }
}
#else
inline void transpose(Vec<float>* r) {
  for (int i = 0; i < Vec<float>::size; ++i)
    for (int j = 0; j < i; ++j) {
      const float x = r[i].v[j];
      r[i].v[j] = r[j].v[i];
      r[j].v[i] = x;
    }
}
#endif

template <class S, class T>
inline T convert_one(S x) {
  if constexpr (sizeof(S) == sizeof(T)) {
    return x;
  } else {
    T lanes[Vec<float>::size];
    load(&x, 1).store(lanes, 1);
    return lanes[0];
  }
}

/// Any strides, one element at a time.
template <class S, class T>
void pack_strided(const PackCall& p) {
  const S* source = (const S*)p.source;
  T* target = (T*)p.target;
  for (int64_t k = 0; k < p.depth; ++k)
    for (int64_t j = 0; j < p.padded; ++j)
      target[k * p.padded + j] = j < p.width ? convert_one<S, T>(source[k * p.row + j * p.col]) : T{};
}

/// Columns adjacent in the source: whole registers.
template <class S, class T>
void pack_rows(const PackCall& p) {
  using V = VecOf<S>;
  for (int64_t k = 0; k < p.depth; ++k) {
    const S* from = (const S*)p.source + k * p.row;
    T* to = (T*)p.target + k * p.padded;
    for (int64_t j = 0; j < p.padded; j += V::size) {
      const int64_t left = p.width - j;
      const V v = left >= V::size ? load(from + j) : load(from + j, int(left > 0 ? left : 0));
      if (p.padded - j >= V::size)
        v.store(to + j);
      else
        v.store(to + j, int(p.padded - j));
    }
  }
}

/// Depth adjacent in the source (a transposed operand): squares of registers are transposed.
template <class S>
void pack_transposed(const PackCall& p) {
  using V = Vec<float>;
  for (int64_t j = 0; j < p.padded; j += V::size)
    for (int64_t k = 0; k < p.depth; k += V::size) {
      const int64_t rows = p.depth - k < V::size ? p.depth - k : V::size;
      const int64_t columns = p.padded - j < V::size ? p.padded - j : V::size;
      V square[V::size];
      for (int i = 0; i < V::size; ++i) {
        if (j + i >= p.width) {
          square[i] = V::zero();
          continue;
        }
        const S* from = (const S*)p.source + (j + i) * p.col + k;
        square[i] = rows == V::size ? load(from) : load(from, int(rows));
      }
      transpose(square);
      float* to = (float*)p.target + k * p.padded + j;
      for (int64_t i = 0; i < rows; ++i) {
        if (columns == V::size)
          square[i].store(to + i * p.padded);
        else
          square[i].store(to + i * p.padded, int(columns));
      }
    }
}

template <class S>
void pack_to_float(const PackCall& p) {
  if (p.col == 1) return pack_rows<S, float>(p);
  if (p.row == 1) return pack_transposed<S>(p);
  pack_strided<S, float>(p);
}

inline void pack_f32(const PackCall& p) {
  if (p.to != Storage::f32) return pack_strided<uint16_t, uint16_t>(p);
  if (p.from == Storage::f32) return pack_to_float<float>(p);
  if (p.from == Storage::bf16) return pack_to_float<Bf16>(p);
  pack_to_float<F16>(p);
}

inline void pack_f64(const PackCall& p) {
  if (p.col == 1) return pack_rows<double, double>(p);
  pack_strided<double, double>(p);
}

template <class S, class D>
void convert_of(const S* from, D* to, int64_t count) {
  constexpr int64_t size = VecOf<S>::size;
  int64_t i = 0;
  for (; i + size <= count; i += size) store(to + i, load(from + i));
  if (i < count) store(to + i, load(from + i, int(count - i)), int(count - i));
}

template <class S>
void convert_from(const S* from, void* target, Storage to, int64_t count) {
  if (to == Storage::f32) return convert_of(from, (float*)target, count);
  if (to == Storage::bf16) return convert_of(from, (Bf16*)target, count);
  convert_of(from, (F16*)target, count);
}

inline void convert(const void* source, Storage from, void* target, Storage to, int64_t count) {
  if (from == Storage::f64) return convert_of((const double*)source, (double*)target, count);
  if (from == Storage::f32) return convert_from((const float*)source, target, to, count);
  if (from == Storage::bf16) return convert_from((const Bf16*)source, target, to, count);
  convert_from((const F16*)source, target, to, count);
}

}  // namespace hearth::cpu::HEARTH_ISA
