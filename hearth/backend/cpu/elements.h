// Elements: moves strided tensor elements of any dtype into small contiguous buffers of a compute type and back.
#pragma once

#include <algorithm>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/simd/elementwise.h"
#include "hearth/core/layout.h"

namespace hearth::cpu {

// Element-wise work on real numbers is done in four compute types: float (float16, bfloat16, float32), double, uint64
// (uint64), int64 (all other integers, bool). Complex numbers are computed in their own type, by loops of their own.
inline bool computes_in_float(Dtype dtype) {
  return dtype == Dtype::float32 || dtype == Dtype::bfloat16 || dtype == Dtype::float16;
}

/// Calls f with the compute type of `dtype`. Raises DtypeError for a complex dtype.
template <class F>
void with_compute_type(Dtype dtype, F&& f) {
  if (computes_in_float(dtype))
    f.template operator()<float>();
  else if (dtype == Dtype::float64)
    f.template operator()<double>();
  else if (dtype == Dtype::uint64)
    f.template operator()<uint64_t>();
  else if (!is_complex(dtype))
    f.template operator()<int64_t>();
  else
    fail<DtypeError>("kernel: the operation is not defined for ", dtype);
}

/// buffer[i] = the element at p + i * stride bytes, for n elements of `dtype`, whose compute type must be C.
template <class C>
void load_elements(C* buffer, const char* p, int64_t stride, int64_t n, Dtype dtype);
/// The reverse: rounds to the storage type, wraps integers, writes value != 0 as bool.
template <class C>
void store_elements(char* p, int64_t stride, const C* buffer, int64_t n, Dtype dtype);

/// Elements of one parallel piece of an element-wise loop.
inline constexpr int64_t elementwise_grain = 32768;
/// Elements of a buffer: three buffers of float64 stay in the first-level cache.
inline constexpr int64_t elementwise_chunk = 512;
/// Rows at least this long are handled one at a time, so that what needs no buffer gets none.
inline constexpr int64_t long_row = 128;

namespace detail {

/// Whether operand k is walked without a buffer: it has the compute type and its elements are neighbours, or it is an
/// input that repeats one element.
template <class C, int N>
bool is_direct(const Loops<N>& loops, int k, Dtype dtype) {
  const int64_t stride = loops.strides[k][0];
  return dtype == dtype_of<C> && (stride == int64_t(sizeof(C)) || (k > 0 && stride == 0));
}

}  // namespace detail

/// Calls f(out, in, one, n) for pieces of the loop nest: `out` O[n], `in[k]` C[n] or, where one[k], a single C. Operand
/// 0 is the output. Every element goes through the same f, whatever its layout.
template <class O, class C, int N, class F>
void for_each_chunk(const Loops<N + 1>& loops, const std::array<Dtype, N + 1>& dtypes, F f) {
  bool direct[N + 1], all_direct = true;
  direct[0] = detail::is_direct<O, N + 1>(loops, 0, dtypes[0]);
  for (int k = 1; k <= N; ++k) direct[k] = detail::is_direct<C, N + 1>(loops, k, dtypes[size_t(k)]);
  bool repeats[N + 1], all_repeat = true;
  for (int k = 1; k <= N; ++k) {
    repeats[k] = loops.strides[k][0] == 0 && loops.inner() != 1;
    all_repeat = all_repeat && repeats[k];
  }
  // A chunk function takes at most one lone number; when every input repeats, the first is spread out.
  if (all_repeat) direct[1] = false;
  for (bool d : direct) all_direct = all_direct && d;

  if (loops.rank == 1 && all_direct) {
    parallel_for(0, loops.numel, elementwise_grain, [&](int64_t b, int64_t e) {
      std::array<const C*, N> in;
      std::array<bool, N> one;
      for (int k = 1; k <= N; ++k) {
        in[size_t(k - 1)] = reinterpret_cast<const C*>(loops.data[size_t(k)] + b * loops.strides[k][0]);
        one[size_t(k - 1)] = repeats[k];
      }
      f(reinterpret_cast<O*>(loops.data[0]) + b, in, one, e - b);
    });
    return;
  }

  const bool by_row = loops.inner() >= long_row;
  const int64_t limit = by_row && all_direct ? loops.inner() : elementwise_chunk;
  parallel_for(0, loops.numel, elementwise_grain, [&](int64_t b, int64_t e) {
    alignas(64) C buffers[N][elementwise_chunk];
    alignas(64) O out_buffer[elementwise_chunk];
    Cursor<N + 1> cursor(loops, b);
    for (int64_t position = b; position < e;) {
      const int64_t n = std::min({limit, e - position, by_row ? cursor.left_in_row() : limit});
      std::array<const C*, N> in;
      std::array<bool, N> one{};
      O* out = by_row && direct[0] ? reinterpret_cast<O*>(cursor.at[0]) : out_buffer;
      for (int k = 1; k <= N; ++k) {
        const bool in_place = by_row && direct[k];
        in[size_t(k - 1)] = in_place ? reinterpret_cast<const C*>(cursor.at[size_t(k)]) : buffers[k - 1];
        one[size_t(k - 1)] = in_place && repeats[k];
      }
      // A piece may span several short rows; the outputs of them are written after f, by a second walk.
      const auto walk = [&](Cursor<N + 1>& c, auto&& piece) {
        for (int64_t done = 0; done < n;) {
          const int64_t length = std::min(c.left_in_row(), n - done);
          piece(c, done, length);
          c.advance(length);
          done += length;
        }
      };
      const auto load_piece = [&](Cursor<N + 1>& c, int64_t done, int64_t length) {
        for (int k = 1; k <= N; ++k)
          if (!(by_row && direct[k]))
            load_elements<C>(buffers[k - 1] + done, c.at[size_t(k)], loops.strides[k][0], length, dtypes[size_t(k)]);
      };
      const auto store_piece = [&](Cursor<N + 1>& c, int64_t done, int64_t length) {
        if constexpr (std::is_same_v<O, bool>)
          for (int64_t i = 0; i < length; ++i)
            *reinterpret_cast<bool*>(c.at[0] + i * loops.strides[0][0]) = out_buffer[done + i];
        else
          store_elements<O>(c.at[0], loops.strides[0][0], out_buffer + done, length, dtypes[0]);
      };
      if (by_row) {
        load_piece(cursor, 0, n);
        f(out, in, one, n);
        if (!direct[0]) store_piece(cursor, 0, n);
        cursor.advance(n);
      } else {
        Cursor<N + 1> writer(loops, position);
        walk(cursor, load_piece);
        f(out, in, one, n);
        walk(writer, store_piece);
      }
      position += n;
    }
  });
}

}  // namespace hearth::cpu
