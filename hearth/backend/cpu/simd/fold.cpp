// Fold: one tree for both directions. Along memory the lanes are vector lanes; across it they are rows of accumulators.
#include "hearth/backend/cpu/simd/fold.h"

#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {

namespace {

struct Sum {
  static constexpr double identity = 0;
  template <class T>
  Vec<T> operator()(Vec<T> a, Vec<T> b) const {
    return a + b;
  }
};
struct Prod {
  static constexpr double identity = 1;
  template <class T>
  Vec<T> operator()(Vec<T> a, Vec<T> b) const {
    return a * b;
  }
};
struct Max {
  static constexpr double identity = -HUGE_VAL;
  template <class T>
  Vec<T> operator()(Vec<T> a, Vec<T> b) const {
    return max_nan(a, b);
  }
};
struct Min {
  static constexpr double identity = HUGE_VAL;
  template <class T>
  Vec<T> operator()(Vec<T> a, Vec<T> b) const {
    return min_nan(a, b);
  }
};

template <class T>
constexpr int lane_count = sizeof(T) == sizeof(float) ? 64 : 32;

template <class S, class Op>
double fold_row(const S* x, int64_t n) {
  using T = Compute<S>;
  using V = Vec<T>;
  constexpr int lanes = lane_count<T>, vectors = lanes / V::size;
  const Op op;
  V sums[vectors];
  for (V& v : sums) v = V::broadcast(T(Op::identity));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int k = 0; k < vectors; ++k) sums[k] = op(sums[k], load(x + i + k * V::size));
  if (i < n) {
    // Absent lanes must hold the identity, which masked loads do not give.
    alignas(64) T rest[lanes];
    for (T& value : rest) value = T(Op::identity);
    for (int k = 0; i < n; i += V::size, ++k) {
      const int count = n - i < V::size ? int(n - i) : V::size;
      load(x + i, count).store(rest + k * V::size, count);
    }
    for (int k = 0; k < vectors; ++k) sums[k] = op(sums[k], V::load(rest + k * V::size));
  }
  for (int half = vectors / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) sums[k] = op(sums[k], sums[k + half]);
  return double(reduce(sums[0], op));
}

/// `count` columns (at most Vec::size * wide) from x on.
template <class S, class Op, int wide>
void fold_tile(const S* x, int64_t stride, int64_t n, int count, double* out) {
  using T = Compute<S>;
  using V = Vec<T>;
  constexpr int lanes = lane_count<T>, width = wide * V::size;
  const Op op;
  alignas(64) T sums[lanes][width];
  for (auto& lane : sums)
    for (int k = 0; k < wide; ++k) V::broadcast(T(Op::identity)).store(lane + k * V::size);
  for (int64_t i = 0; i < n; ++i, x += stride) {
    T* lane = sums[i % lanes];
    for (int k = 0; k < wide; ++k) {
      const V value = wide > 1 ? load(x + k * V::size) : load(x, count);
      op(V::load(lane + k * V::size), value).store(lane + k * V::size);
    }
  }
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j)
      for (int k = 0; k < width; k += V::size) op(V::load(sums[j] + k), V::load(sums[j + half] + k)).store(sums[j] + k);
  for (int k = 0; k < count; ++k) out[k] = double(sums[0][k]);
}

template <class S, class Op>
void fold_across(const S* x, int64_t stride, int64_t n, int64_t columns, double* out) {
  constexpr int size = VecOf<S>::size, wide = 4;
  int64_t c = 0;
  for (; c + wide * size <= columns; c += wide * size) fold_tile<S, Op, wide>(x + c, stride, n, wide * size, out + c);
  for (; c < columns; c += size)
    fold_tile<S, Op, 1>(x + c, stride, n, columns - c < size ? int(columns - c) : size, out + c);
}

template <class S>
double row(Fold fold, const void* memory, int64_t n) {
  const S* x = static_cast<const S*>(memory);
  switch (fold) {
    case Fold::sum:
      return fold_row<S, Sum>(x, n);
    case Fold::prod:
      return fold_row<S, Prod>(x, n);
    case Fold::max:
      return fold_row<S, Max>(x, n);
    case Fold::min:
      break;
  }
  return fold_row<S, Min>(x, n);
}

template <class S>
void columns(Fold fold, const void* memory, int64_t stride, int64_t n, int64_t count, double* out) {
  const S* x = static_cast<const S*>(memory);
  switch (fold) {
    case Fold::sum:
      return fold_across<S, Sum>(x, stride, n, count, out);
    case Fold::prod:
      return fold_across<S, Prod>(x, stride, n, count, out);
    case Fold::max:
      return fold_across<S, Max>(x, stride, n, count, out);
    case Fold::min:
      return fold_across<S, Min>(x, stride, n, count, out);
  }
}

}  // namespace

const FoldFunctions fold_functions[4] = {
    {row<F16>, columns<F16>}, {row<Bf16>, columns<Bf16>}, {row<float>, columns<float>}, {row<double>, columns<double>}};

}  // namespace hearth::cpu::HEARTH_ISA
