// Kernels that read and write through integer indices. Writes are cut into columns that no two threads share, and each
// thread walks its columns' sources in order.
#include "hearth/backend/kernels/index.h"

#include <algorithm>

#include "hearth/backend/cpu/complex_number.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::WrapIndexFn wrap_index;
extern kernels::IndexSelectFn index_select;
extern kernels::IndexWriteFn index_write;
extern kernels::GatherFn gather;
extern kernels::ScatterFn scatter;
extern kernels::NonzeroFn nonzero;

namespace {

constexpr int64_t elements_per_chunk = 16384;

struct alignas(8) Word16 {
  uint64_t low, high;
};

/// Calls f with an unsigned type of the dtype's size: moving elements needs no more.
template <class F>
void by_size(Dtype dtype, F&& f) {
  switch (dtype_size(dtype)) {
    case 1:
      return f.template operator()<uint8_t>();
    case 2:
      return f.template operator()<uint16_t>();
    case 4:
      return f.template operator()<uint32_t>();
    case 8:
      return f.template operator()<uint64_t>();
    default:
      return f.template operator()<Word16>();
  }
}

template <class T>
using Compute = std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float, T>;

template <class T>
inline constexpr bool is_complex_number = false;
template <class R>
inline constexpr bool is_complex_number<std::complex<R>> = true;

template <class T>
T product(Compute<T> a, Compute<T> b) {
  if constexpr (is_complex_number<T>)
    return complex_product(a, b);
  else
    return T(a * b);
}

template <kernels::WriteOp op, class T>
T merge(T have, T value) {
  using enum kernels::WriteOp;
  if constexpr (op == assign) {
    return value;
  } else {
    const Compute<T> a = have, b = value;
    if constexpr (op == add) return T(a + b);
    if constexpr (op == mul) return product<T>(a, b);
    if constexpr (op == min) return a != a ? have : b != b ? value : (b < a ? value : have);
    if constexpr (op == max) return a != a ? have : b != b ? value : (b > a ? value : have);
  }
}

/// Calls f.operator()<op, T>(): assignment with an unsigned type of the size, arithmetic with the type itself.
template <class F>
void by_write(kernels::WriteOp op, Dtype dtype, const char* name, F&& f) {
  using enum kernels::WriteOp;
  if (op == assign) return by_size(dtype, [&]<class T>() { f.template operator()<assign, T>(); });
  dispatch(AllTypes{}, dtype, name, [&]<class T>() {
    if (op == add) f.template operator()<add, T>();
    if (op == mul) f.template operator()<mul, T>();
    if constexpr (is_complex_number<T>) {
      check<DtypeError>(op == add || op == mul, name, ": complex numbers have no order: ", dtype);
    } else {
      if (op == min) f.template operator()<min, T>();
      if (op == max) f.template operator()<max, T>();
    }
  });
}

/// Walks all lines along `dim` of operands that are cut to `shape`: gives each operand's offset at a line's start.
template <int N>
struct Lines {
  Shape shape;  ///< without dim
  std::array<Shape, N> strides;
  std::array<int64_t, N> step;  ///< along dim
  int64_t count;

  Lines(const Shape& full, int dim, const std::array<const Tensor*, N>& operands) : shape(full) {
    shape.erase(dim);
    count = shape.numel();
    for (size_t k = 0; k < N; ++k) {
      strides[k] = operands[k]->strides();
      step[k] = strides[k][dim];
      strides[k].erase(dim);
    }
  }

  std::array<int64_t, N> at(int64_t line) const {
    std::array<int64_t, N> offsets{};
    for (int d = shape.size() - 1; d >= 0; --d) {
      const int64_t i = line % shape[d];
      line /= shape[d];
      for (size_t k = 0; k < N; ++k) offsets[k] += i * strides[k][d];
    }
    return offsets;
  }
};

int64_t grain_for(int64_t elements_per_item) {
  return std::max<int64_t>(1, elements_per_chunk / std::max<int64_t>(1, elements_per_item));
}

}  // namespace

int64_t wrap_index(const Tensor& out, const Tensor& index, int64_t size, bool negative) {
  const int64_t* from = index.data<int64_t>();
  int64_t* to = out.data<int64_t>();
  for (int64_t i = 0; i < index.numel(); ++i) {
    const int64_t v = from[i] < 0 && negative ? from[i] + size : from[i];
    if (v < 0 || v >= size) return i;
    to[i] = v;
  }
  return -1;
}

void index_select(const Tensor& out, const Tensor& x, const Tensor& index) {
  if (out.numel() == 0) return;
  const int64_t n = out.size(1), inner = out.size(2);
  const int64_t* at = index.data<int64_t>();
  const int64_t s0 = x.stride(0), s1 = x.stride(1), s2 = x.stride(2);
  by_size(x.dtype(), [&]<class T>() {
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(x.raw());
    parallel_for(0, out.size(0) * n, grain_for(inner), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* source = from + row / n * s0 + at[row % n] * s1;
        T* target = to + row * inner;
        if (s2 == 1)
          std::copy_n(source, inner, target);
        else
          for (int64_t j = 0; j < inner; ++j) target[j] = source[j * s2];
      }
    });
  });
}

void index_write(kernels::WriteOp op, const Tensor& out, const Tensor& index, const Tensor& src) {
  if (src.numel() == 0) return;
  constexpr int64_t block = 64;
  const int64_t n = src.size(1), inner = src.size(2), blocks = (inner + block - 1) / block;
  const int64_t* at = index.data<int64_t>();
  const int64_t t0 = out.stride(0), t1 = out.stride(1), t2 = out.stride(2);
  const int64_t s0 = src.stride(0), s1 = src.stride(1), s2 = src.stride(2);
  by_write(op, out.dtype(), "index_write", [&]<kernels::WriteOp write, class T>() {
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(src.raw());
    parallel_for(0, src.size(0) * blocks, grain_for(n * std::min(inner, block)), [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t o = unit / blocks, first = unit % blocks * block, last = std::min(inner, first + block);
        for (int64_t i = 0; i < n; ++i) {
          T* target = to + o * t0 + at[i] * t1;
          const T* source = from + o * s0 + i * s1;
          for (int64_t j = first; j < last; ++j) target[j * t2] = merge<write>(target[j * t2], source[j * s2]);
        }
      }
    });
  });
}

void gather(const Tensor& out, const Tensor& x, const Tensor& index, int dim) {
  if (out.numel() == 0) return;
  const Lines<3> lines(out.shape(), dim, {&out, &x, &index});
  const int64_t n = out.size(dim);
  const int64_t* at = index.data<int64_t>();
  by_size(x.dtype(), [&]<class T>() {
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(x.raw());
    parallel_for(0, lines.count, grain_for(n), [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const auto offset = lines.at(line);
        for (int64_t i = 0; i < n; ++i)
          to[offset[0] + i * lines.step[0]] = from[offset[1] + at[offset[2] + i * lines.step[2]] * lines.step[1]];
      }
    });
  });
}

void scatter(kernels::WriteOp op, const Tensor& out, const Tensor& index, const Tensor& src, int dim) {
  if (index.numel() == 0) return;
  const Lines<3> lines(index.shape(), dim, {&out, &index, &src});
  const int64_t n = index.size(dim);
  const int64_t* at = index.data<int64_t>();
  by_write(op, out.dtype(), "scatter", [&]<kernels::WriteOp write, class T>() {
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(src.raw());
    parallel_for(0, lines.count, grain_for(n), [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const auto offset = lines.at(line);
        for (int64_t i = 0; i < n; ++i) {
          T& target = to[offset[0] + at[offset[1] + i * lines.step[1]] * lines.step[0]];
          target = merge<write>(target, from[offset[2] + i * lines.step[2]]);
        }
      }
    });
  });
}

void nonzero(const Tensor& out, const Tensor& x) {
  const bool* values = x.data<bool>();
  int64_t* row = out.data<int64_t>();
  const int rank = x.dim();
  for (int64_t i = 0; i < x.numel(); ++i) {
    if (!values[i]) continue;
    int64_t rest = i;
    for (int d = rank - 1; d >= 0; --d) {
      row[d] = rest % x.shape()[d];
      rest /= x.shape()[d];
    }
    row += rank;
  }
}

}  // namespace hearth::cpu
