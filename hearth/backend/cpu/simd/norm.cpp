// Normalisation rows: statistics by fixed-tree sums, then one pass over the row.
#include "hearth/backend/cpu/simd/norm.h"

#include "hearth/backend/cpu/simd/reduce.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

/// Calls f(i, count) for the Vecs of a row; count is Vec::size but for the last one.
template <class T, class F>
inline void each(int64_t n, F f) {
  constexpr int size = Vec<T>::size;
  int64_t i = 0;
  for (; i + size <= n; i += size) f(i, size);
  if (i < n) f(i, int(n - i));
}

template <class S>
inline VecOf<S> take(const S* p, int count) {
  return count == VecOf<S>::size ? load(p) : load(p, count);
}
template <class S>
inline void put(S* p, VecOf<S> v, int count) {
  if (count == VecOf<S>::size) {
    store(p, v);
  } else {
    store(p, v, count);
  }
}

template <class S>
inline Compute<S> row_mean(const S* x, int64_t dim) {
  using T = Compute<S>;
  return tree_sum<T>(
             dim, [&](int64_t i) { return load(x + i); }, [&](int64_t i, int count) { return load(x + i, count); }) /
         T(dim);
}

/// Mean of (x - mean)^2; the tail's absent lanes are set to the mean so that they add nothing.
template <class S>
inline Compute<S> row_variance(const S* x, int64_t dim, Compute<S> mean, bool centered) {
  using T = Compute<S>;
  using V = Vec<T>;
  const V shift = V::broadcast(mean);
  const auto square = [](V v) { return v * v; };
  if (!centered)
    return tree_sum<T>(
               dim, [&](int64_t i) { return square(load(x + i)); },
               [&](int64_t i, int count) { return square(load(x + i, count)); }) /
           T(dim);
  const auto tail = [&](int64_t i, int count) {
    alignas(64) T lanes[V::size];
    (load(x + i, count) - shift).store(lanes);
    return square(V::load(lanes, count));
  };
  return tree_sum<T>(
             dim, [&](int64_t i) { return square(load(x + i) - shift); }, tail) /
         T(dim);
}

template <class S>
void forward(const void* x_, const void* weight_, const void* bias_, void* y_, int64_t dim, double eps, bool centered,
             void* mean_, void* rstd_) {
  using T = Compute<S>;
  using V = Vec<T>;
  const S *x = static_cast<const S*>(x_), *weight = static_cast<const S*>(weight_),
          *bias = static_cast<const S*>(bias_);
  S* y = static_cast<S*>(y_);
  const T mean = centered ? row_mean(x, dim) : T(0);
  const T rstd = T(1) / T(::sqrt(double(row_variance(x, dim, mean, centered) + T(eps))));
  *static_cast<T*>(mean_) = mean;
  *static_cast<T*>(rstd_) = rstd;
  const V shift = V::broadcast(mean), scale = V::broadcast(rstd);
  each<T>(dim, [&](int64_t i, int count) {
    V v = take(x + i, count);
    if (centered) v -= shift;
    v *= scale;
    if (weight) v *= take(weight + i, count);
    if (bias) v += take(bias + i, count);
    put(y + i, v, count);
  });
}

/// g = dy * weight, or dy without a weight.
template <class S>
inline VecOf<S> weighted(const S* dy, const S* weight, int64_t i, int count) {
  const VecOf<S> g = take(dy + i, count);
  return weight ? g * take(weight + i, count) : g;
}

template <class S>
void backward(const void* x_, const void* dy_, const void* weight_, const void* mean_, const void* rstd_, void* dx_,
              void* dweight_, void* dbias_, int64_t dim, bool centered) {
  using T = Compute<S>;
  using V = Vec<T>;
  const S *x = static_cast<const S*>(x_), *dy = static_cast<const S*>(dy_), *weight = static_cast<const S*>(weight_);
  S* dx = static_cast<S*>(dx_);
  T *dweight = static_cast<T*>(dweight_), *dbias = static_cast<T*>(dbias_);
  const V shift = V::broadcast(centered ? *static_cast<const T*>(mean_) : T(0));
  const V scale = V::broadcast(*static_cast<const T*>(rstd_));
  const auto normalised = [&](int64_t i, int count) { return (take(x + i, count) - shift) * scale; };
  if (dx) {
    const auto product = [&](int64_t i, int count) { return weighted(dy, weight, i, count) * normalised(i, count); };
    const V along = V::broadcast(tree_sum<T>(
                                     dim, [&](int64_t i) { return product(i, V::size); }, product) /
                                 T(dim));
    V level = V::zero();
    if (centered)
      level = V::broadcast(tree_sum<T>(
                               dim, [&](int64_t i) { return weighted(dy, weight, i, V::size); },
                               [&](int64_t i, int count) { return weighted(dy, weight, i, count); }) /
                           T(dim));
    each<T>(dim, [&](int64_t i, int count) {
      V g = weighted(dy, weight, i, count);
      if (centered) g -= level;
      put(dx + i, scale * (g - normalised(i, count) * along), count);
    });
  }
  if (!dweight && !dbias) return;
  each<T>(dim, [&](int64_t i, int count) {
    const V g = take(dy + i, count);
    if (dweight) put(dweight + i, take(dweight + i, count) + g * normalised(i, count), count);
    if (dbias) put(dbias + i, take(dbias + i, count) + g, count);
  });
}

template <class S>
void add(const void* x, const void* y, void* z, int64_t dim) {
  each<Compute<S>>(dim, [&](int64_t i, int count) {
    put(static_cast<S*>(z) + i, take(static_cast<const S*>(x) + i, count) + take(static_cast<const S*>(y) + i, count),
        count);
  });
}

template <class T>
void accumulate(const void* part, void* sum, int64_t dim) {
  add<T>(sum, part, sum, dim);
}

template <class S>
void narrow(const void* sum, void* y, int64_t dim) {
  using T = Compute<S>;
  each<T>(dim, [&](int64_t i, int count) {
    put(static_cast<S*>(y) + i, take(static_cast<const T*>(sum) + i, count), count);
  });
}

template <class S>
constexpr NormRows rows() {
  return {forward<S>, backward<S>, add<S>, accumulate<Compute<S>>, narrow<S>};
}

}  // namespace

extern const NormRows norm_rows[4] = {rows<F16>(), rows<Bf16>(), rows<float>(), rows<double>()};

}  // namespace hearth::cpu::HEARTH_ISA
