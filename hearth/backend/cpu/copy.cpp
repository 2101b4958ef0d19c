// Copy and fill: bytes move as they are where the dtype stays, else through buffers of the two compute types.
#include <cstring>
#include <limits>

#include "hearth/backend/cpu/elements.h"
#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::BinaryFn binary;
extern kernels::CopyFn copy;
extern kernels::FillFn fill;

namespace {

/// Edge of a transposed tile: a cache line of 4-byte words.
constexpr int64_t tile = 16;

/// Rows of the loop nest, each by memcpy where both sides are dense.
template <class Word>
void copy_rows(const Loops<2>& loops) {
  parallel_for(0, loops.numel, elementwise_grain * 4, [&](int64_t b, int64_t e) {
    Cursor<2> cursor(loops, b);
    const int64_t to = loops.strides[0][0], from = loops.strides[1][0];
    while (b < e) {
      const int64_t n = std::min(e - b, cursor.left_in_row());
      char *y = cursor.at[0], *x = cursor.at[1];
      if (to == sizeof(Word) && from == sizeof(Word)) {
        if (y != x) std::memmove(y, x, size_t(n) * sizeof(Word));
      } else {
        for (int64_t i = 0; i < n; ++i, y += to, x += from) *reinterpret_cast<Word*>(y) = *reinterpret_cast<Word*>(x);
      }
      cursor.advance(n);
      b += n;
    }
  });
}

/// The loop along which the source is dense, if that is not the innermost one.
int dense_source_loop(const Loops<2>& loops, int64_t width) {
  if (loops.strides[0][0] != width || loops.strides[1][0] == width || loops.sizes[0] < 4) return 0;
  for (int d = 1; d < loops.rank; ++d)
    if (loops.strides[1][d] == width && loops.sizes[d] >= 4) return d;
  return 0;
}

/// Transposed copies, in square tiles: the destination is dense along loop 0, the source along loop d.
template <class Word>
void copy_tiles(const Loops<2>& loops, int d) {
  const int64_t columns = loops.sizes[0], rows = loops.sizes[d];
  const int64_t column_tiles = (columns + tile - 1) / tile, row_tiles = (rows + tile - 1) / tile;
  const int64_t planes = loops.numel / (columns * rows);
  const int64_t y_row = loops.strides[0][d], x_column = loops.strides[1][0];
  parallel_for(0, planes * row_tiles * column_tiles, 2 * elementwise_grain / (tile * tile), [&](int64_t b, int64_t e) {
    for (int64_t t = b; t < e; ++t) {
      const int64_t c0 = t % column_tiles * tile, r0 = t / column_tiles % row_tiles * tile;
      int64_t plane = t / (column_tiles * row_tiles);
      char *y = loops.data[0] + c0 * int64_t(sizeof(Word)) + r0 * y_row,
           *x = loops.data[1] + c0 * x_column + r0 * int64_t(sizeof(Word));
      for (int k = 1; k < loops.rank; ++k) {
        if (k == d) continue;
        y += plane % loops.sizes[k] * loops.strides[0][k];
        x += plane % loops.sizes[k] * loops.strides[1][k];
        plane /= loops.sizes[k];
      }
      const int64_t nc = std::min(tile, columns - c0), nr = std::min(tile, rows - r0);
      // Through a buffer: each source line is read once, however many of them share a cache set.
      Word buffer[tile][tile];
      for (int64_t c = 0; c < nc; ++c) std::memcpy(buffer[c], x + c * x_column, size_t(nr) * sizeof(Word));
      for (int64_t r = 0; r < nr; ++r) {
        Word* to = reinterpret_cast<Word*>(y + r * y_row);
        for (int64_t c = 0; c < nc; ++c) to[c] = buffer[c][r];
      }
    }
  });
}

template <class Word>
void copy_words(const Loops<2>& loops) {
  if (loops.numel == 0) return;
  if (const int d = dense_source_loop(loops, sizeof(Word)))
    copy_tiles<Word>(loops, d);
  else
    copy_rows<Word>(loops);
}

/// What the processor's conversion gives for a number outside the range, spelled out because C++ leaves it undefined.
template <class F>
int64_t to_int64(F value, Dtype target) {
  if (target == Dtype::uint64 && value >= F(0x1p63) && value < F(0x1p64)) return int64_t(uint64_t(value));
  if (target == Dtype::int32)
    return value > F(-2147483649.0) && value < F(2147483648.0) ? int64_t(value) : std::numeric_limits<int32_t>::min();
  return value >= F(-0x1p63) && value < F(0x1p63) ? int64_t(value) : std::numeric_limits<int64_t>::min();
}

template <class C, class S>
void convert_buffer(C* y, const S* x, int64_t n, Dtype target, Dtype source) {
  if constexpr (std::is_same_v<C, int64_t> && !std::is_same_v<S, int64_t>) {
    if (target == Dtype::boolean)
      for (int64_t i = 0; i < n; ++i) y[i] = x[i] != 0;
    else
      for (int64_t i = 0; i < n; ++i) y[i] = to_int64(x[i], target);
  } else if (std::is_same_v<S, int64_t> && source == Dtype::uint64) {
    for (int64_t i = 0; i < n; ++i) y[i] = C(uint64_t(x[i]));
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = C(x[i]);
  }
}

template <class C, class S>
void convert(const Tensor& out, const Tensor& x) {
  for_each_chunk<C, S, 1>(merge_loops<2>({&out, &x}), {out.dtype(), x.dtype()},
                          [&](C* y, const std::array<const S*, 1>& in, const std::array<bool, 1>&, int64_t n) {
                            convert_buffer(y, in[0], n, out.dtype(), x.dtype());
                          });
}

template <class S>
void convert_from(const Tensor& out, const Tensor& x) {
  if (computes_in_float(out.dtype()))
    convert<float, S>(out, x);
  else if (out.dtype() == Dtype::float64)
    convert<double, S>(out, x);
  else
    convert<int64_t, S>(out, x);
}

void convert_real(const Tensor& out, const Tensor& x) {
  if (computes_in_float(x.dtype())) return convert_from<float>(out, x);
  if (x.dtype() == Dtype::float64) return convert_from<double>(out, x);
  convert_from<int64_t>(out, x);
}

/// Part 0 (real) or 1 (imaginary) of a complex tensor, in its memory.
Tensor part_of(const Tensor& x, int part) {
  Shape strides = x.strides();
  for (int64_t& stride : strides) stride *= 2;
  Tensor y = x.alias(x.shape(), strides, 2 * x.offset() + part);
  y.impl()->dtype = real_type(x.dtype());
  return y;
}

/// At least one side is complex: its parts are converted one after the other.
void convert_complex(const Tensor& out, const Tensor& x) {
  if (!is_complex(x.dtype())) {
    copy(part_of(out, 0), x);
    fill(part_of(out, 1), 0);
  } else if (is_complex(out.dtype())) {
    convert_real(part_of(out, 0), part_of(x, 0));
    convert_real(part_of(out, 1), part_of(x, 1));
  } else {
    copy(out, part_of(x, 0));
    if (out.dtype() != Dtype::boolean) return;
    const Tensor imaginary = Tensor::empty(out.shape(), Dtype::boolean);
    copy(imaginary, part_of(x, 1));
    binary(kernels::BinaryOp::bitwise_or, out, out, imaginary);
  }
}

struct alignas(8) Word16 {
  uint64_t low, high;
};

}  // namespace

void copy(const Tensor& out, const Tensor& x) {
  if (out.dtype() != x.dtype()) {
    if (is_complex(out.dtype()) || is_complex(x.dtype())) return convert_complex(out, x);
    return convert_real(out, x);
  }
  const auto loops = merge_loops<2>({&out, &x});
  switch (dtype_size(out.dtype())) {
    case 1:
      return copy_words<uint8_t>(loops);
    case 2:
      return copy_words<uint16_t>(loops);
    case 4:
      return copy_words<uint32_t>(loops);
    case 8:
      return copy_words<uint64_t>(loops);
    default:
      return copy_words<Word16>(loops);
  }
}

void fill(const Tensor& out, const Scalar& value) {
  dispatch(AllTypes{}, out.dtype(), "fill", [&]<class T>() {
    T v;
    if constexpr (std::is_same_v<T, bool>)
      v = value.to_complex() != 0.0;
    else if constexpr (requires { v.imag(); })
      v = T(value.to_complex());
    else if constexpr (std::is_integral_v<T>)
      v = T(value.is_floating() ? to_int64(value.to_double(), out.dtype()) : value.to_int64());
    else if constexpr (sizeof(T) == 2)
      v = T(float(value.to_double()));
    else
      v = T(value.to_double());
    const auto loops = merge_loops<1>({&out});
    parallel_for(0, loops.numel, elementwise_grain * 4, [&](int64_t b, int64_t e) {
      Cursor<1> cursor(loops, b);
      while (b < e) {
        const int64_t n = std::min(e - b, cursor.left_in_row()), stride = loops.strides[0][0];
        char* p = cursor.at[0];
        if (stride == sizeof(T))
          std::fill_n(reinterpret_cast<T*>(p), n, v);
        else
          for (int64_t i = 0; i < n; ++i, p += stride) *reinterpret_cast<T*>(p) = v;
        cursor.advance(n);
        b += n;
      }
    });
  });
}

}  // namespace hearth::cpu
