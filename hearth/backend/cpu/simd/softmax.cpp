// Softmax rows: max, sum of exponentials in a fixed tree, then one pass that normalises.
#include "hearth/backend/cpu/simd/softmax.h"

#include "hearth/backend/cpu/simd/reduce.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

inline float log_of(float x) { return ::logf(x); }
inline double log_of(double x) { return ::log(x); }

/// Lanes at and after `count` become zero.
template <class T>
inline Vec<T> first(Vec<T> v, int count) {
  alignas(64) T lanes[Vec<T>::size];
  v.store(lanes);
  return Vec<T>::load(lanes, count);
}

/// y[i] = f(x[i]) over a row.
template <class S, class F>
inline void map_row(const S* x, S* y, int64_t n, F f) {
  constexpr int size = VecOf<S>::size;
  int64_t i = 0;
  for (; i + size <= n; i += size) store(y + i, f(load(x + i)));
  if (i < n) store(y + i, f(load(x + i, int(n - i))), int(n - i));
}

/// z[i] = f(x[i], y[i]) over a row.
template <class S, class F>
inline void map_rows(const S* x, const S* y, S* z, int64_t n, F f) {
  constexpr int size = VecOf<S>::size;
  int64_t i = 0;
  for (; i + size <= n; i += size) store(z + i, f(load(x + i), load(y + i)));
  if (i < n) store(z + i, f(load(x + i, int(n - i)), load(y + i, int(n - i))), int(n - i));
}

template <class S>
inline Compute<S> sum_of_exp(const S* x, int64_t n, Compute<S> max) {
  using V = VecOf<S>;
  const V shift = V::broadcast(max);
  return tree_sum<Compute<S>>(
      n, [&](int64_t i) { return exp(load(x + i) - shift); },
      [&](int64_t i, int count) { return first(exp(load(x + i, count) - shift), count); });
}

template <class S>
SoftmaxStatistics statistics(const void* x, int64_t n) {
  const S* row = static_cast<const S*>(x);
  const Compute<S> max = row_max(row, n);
  return {double(max), double(log_of(sum_of_exp(row, n, max)))};
}

template <class S>
void softmax(const void* x, void* y, int64_t n) {
  using V = VecOf<S>;
  const S* row = static_cast<const S*>(x);
  const Compute<S> max = row_max(row, n);
  const V shift = V::broadcast(max), sum = V::broadcast(sum_of_exp(row, n, max));
  map_row(row, static_cast<S*>(y), n, [&](V v) { return exp(v - shift) / sum; });
}

template <class S>
void log_softmax(const void* x, void* y, int64_t n) {
  using V = VecOf<S>;
  const SoftmaxStatistics s = statistics<S>(x, n);
  const V shift = V::broadcast(Compute<S>(s.max)), log_sum = V::broadcast(Compute<S>(s.log_sum));
  map_row(static_cast<const S*>(x), static_cast<S*>(y), n, [&](V v) { return (v - shift) - log_sum; });
}

template <class S>
void softmax_backward(const void* y, const void* dy, void* dx, int64_t n) {
  using V = VecOf<S>;
  const S* p = static_cast<const S*>(y);
  const S* g = static_cast<const S*>(dy);
  const V dot = V::broadcast(tree_sum<Compute<S>>(
      n, [&](int64_t i) { return load(p + i) * load(g + i); },
      [&](int64_t i, int count) { return load(p + i, count) * load(g + i, count); }));
  map_rows(p, g, static_cast<S*>(dx), n, [&](V a, V b) { return a * (b - dot); });
}

template <class S>
void log_softmax_backward(const void* y, const void* dy, void* dx, int64_t n) {
  using V = VecOf<S>;
  const S* g = static_cast<const S*>(dy);
  const V sum = V::broadcast(tree_sum<Compute<S>>(
      n, [&](int64_t i) { return load(g + i); }, [&](int64_t i, int count) { return load(g + i, count); }));
  map_rows(static_cast<const S*>(y), g, static_cast<S*>(dx), n, [&](V a, V b) { return b - exp(a) * sum; });
}

template <class S>
void log_probability_gradient(void* x, int64_t n, SoftmaxStatistics s, double g) {
  using V = VecOf<S>;
  const V shift = V::broadcast(Compute<S>(s.max)), log_sum = V::broadcast(Compute<S>(s.log_sum));
  const V factor = V::broadcast(Compute<S>(-g));
  S* row = static_cast<S*>(x);
  map_row(row, row, n, [&](V v) { return factor * exp((v - shift) - log_sum); });
}

template <class S>
constexpr SoftmaxRows rows() {
  return {softmax<S>,          log_softmax<S>,
          softmax_backward<S>, log_softmax_backward<S>,
          statistics<S>,       log_probability_gradient<S>};
}

}  // namespace

extern const SoftmaxRows softmax_rows[4] = {rows<F16>(), rows<Bf16>(), rows<float>(), rows<double>()};

}  // namespace hearth::cpu::HEARTH_ISA
