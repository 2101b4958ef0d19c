// Optimizer updates: PyTorch's order of operations, element by element, in one pass over memory.
#include "hearth/backend/cpu/simd/optim_step.h"

#include "hearth/backend/cpu/simd/reduce.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

/// Calls f(i, load, store) for the Vecs of a piece; load(p) and store(p, v) touch what exists of them.
template <class V, class F>
inline void each(int64_t n, F f) {
  int64_t i = 0;
  for (; i + V::size <= n; i += V::size)
    f(
        i, [](const auto* p) { return load(p); }, [](auto* p, V v) { store(p, v); });
  const int rest = int(n - i);
  if (rest > 0)
    f(
        i, [rest](const auto* p) { return load(p, rest); }, [rest](auto* p, V v) { store(p, v, rest); });
}

template <class S>
void sgd(const OptimPiece& piece, const SgdNumbers& o) {
  using T = Compute<S>;
  using V = Vec<T>;
  S* param = static_cast<S*>(piece.param);
  const S* grad = static_cast<const S*>(piece.grad);
  T* buffer = static_cast<T*>(piece.state[0]);
  const V rate = V::broadcast(T(-o.lr)), decay = V::broadcast(T(o.weight_decay));
  const V momentum = V::broadcast(T(o.momentum)), fresh = V::broadcast(T(1 - o.dampening));
  each<V>(piece.count, [&](int64_t i, auto get, auto put) {
    const V p = get(param + i);
    V g = get(grad + i);
    if (o.maximize) g = -g;
    if (o.weight_decay != 0) g = fma(p, decay, g);
    if (buffer) {
      const V b = o.first ? g : fma(g, fresh, get(buffer + i) * momentum);
      put(buffer + i, b);
      g = o.nesterov ? fma(b, momentum, g) : b;
    }
    put(param + i, fma(g, rate, p));
  });
}

/// start + weight * (end - start), from the nearer end as torch.lerp does.
template <class V>
inline V lerp(V start, V end, double weight) {
  using T = typename V::Element;
  if (weight < 0.5) return fma(V::broadcast(T(weight)), end - start, start);
  return end - (end - start) * V::broadcast(T(1 - weight));
}

template <class S>
void adam(const OptimPiece& piece, const AdamNumbers& o) {
  using T = Compute<S>;
  using V = Vec<T>;
  S* param = static_cast<S*>(piece.param);
  const S* grad = static_cast<const S*>(piece.grad);
  T *mean = static_cast<T*>(piece.state[0]), *square = static_cast<T*>(piece.state[1]),
    *largest = static_cast<T*>(piece.state[2]);
  const V shrink = V::broadcast(T(1 - o.lr * o.weight_decay)), decay = V::broadcast(T(o.weight_decay));
  const V beta2 = V::broadcast(T(o.beta2)), fresh2 = V::broadcast(T(1 - o.beta2));
  const V root = V::broadcast(T(o.correction2_root)), eps = V::broadcast(T(o.eps)),
          rate = V::broadcast(T(-o.step_size));
  each<V>(piece.count, [&](int64_t i, auto get, auto put) {
    V p = get(param + i), g = get(grad + i);
    if (o.maximize) g = -g;
    if (o.weight_decay != 0) {
      if (o.decoupled)
        p *= shrink;
      else
        g = fma(p, decay, g);
    }
    const V m = lerp(get(mean + i), g, 1 - o.beta1);
    V v = get(square + i) * beta2 + fresh2 * g * g;
    put(mean + i, m);
    put(square + i, v);
    if (o.amsgrad) {
      v = max_nan(get(largest + i), v);
      put(largest + i, v);
    }
    put(param + i, p + rate * m / (sqrt(v) / root + eps));
  });
}

inline Vec<double> widened(const float* p) { return load_widened(p); }
inline Vec<double> widened(const float* p, int n) { return load_widened(p, n); }
inline Vec<double> widened(const double* p) { return load(p); }
inline Vec<double> widened(const double* p, int n) { return load(p, n); }
template <class H>
inline Vec<double> widened(const H* p, int n = Vec<double>::size) {
  alignas(64) float lanes[Vec<float>::size];
  load(p, n).store(lanes);
  return load_widened(lanes);
}

template <class S>
double sum_squares(const void* x_, int64_t count) {
  const S* x = static_cast<const S*>(x_);
  const auto square = [](Vec<double> v) { return v * v; };
  return tree_sum<double>(
      count, [&](int64_t i) { return square(widened(x + i)); },
      [&](int64_t i, int n) { return square(widened(x + i, n)); });
}

template <class S>
void scale(void* x_, int64_t count, double factor) {
  using V = VecOf<S>;
  S* x = static_cast<S*>(x_);
  const V f = V::broadcast(Compute<S>(factor));
  each<V>(count, [&](int64_t i, auto get, auto put) { put(x + i, get(x + i) * f); });
}

template <class S>
constexpr OptimKernels kernels_of() {
  return {sgd<S>, adam<S>, sum_squares<S>, scale<S>};
}

}  // namespace

extern const OptimKernels optim_kernels[4] = {kernels_of<F16>(), kernels_of<Bf16>(), kernels_of<float>(),
                                              kernels_of<double>()};

}  // namespace hearth::cpu::HEARTH_ISA
