// SwiGLU: the gated half of a feed-forward layer and its backward, element by element.
#include "hearth/backend/cpu/simd/swiglu.h"

#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

template <class V>
inline V gated(V gate, V up) {
  const V one = V::broadcast(1);
  return gate / (one + exp(-gate)) * up;
}

template <class S>
void forward(const void* gate_, const void* up_, void* y_, int64_t n) {
  using V = VecOf<S>;
  const S *gate = static_cast<const S*>(gate_), *up = static_cast<const S*>(up_);
  S* y = static_cast<S*>(y_);
  int64_t i = 0;
  for (; i + V::size <= n; i += V::size) store(y + i, gated(load(gate + i), load(up + i)));
  const int rest = int(n - i);
  if (rest > 0) store(y + i, gated(load(gate + i, rest), load(up + i, rest)), rest);
}

template <class V>
struct Gradients {
  V gate, up;
};

template <class V>
inline Gradients<V> gradients(V gate, V up, V dy) {
  const V one = V::broadcast(1);
  const V s = one / (one + exp(-gate));
  return {dy * up * s * (one + gate * (one - s)), dy * (gate * s)};
}

template <class S>
void backward(const void* gate_, const void* up_, const void* dy_, void* dgate_, void* dup_, int64_t n) {
  using V = VecOf<S>;
  const S *gate = static_cast<const S*>(gate_), *up = static_cast<const S*>(up_), *dy = static_cast<const S*>(dy_);
  S *dgate = static_cast<S*>(dgate_), *dup = static_cast<S*>(dup_);
  int64_t i = 0;
  for (; i + V::size <= n; i += V::size) {
    const Gradients<V> g = gradients(load(gate + i), load(up + i), load(dy + i));
    store(dgate + i, g.gate);
    store(dup + i, g.up);
  }
  const int rest = int(n - i);
  if (rest == 0) return;
  const Gradients<V> g = gradients(load(gate + i, rest), load(up + i, rest), load(dy + i, rest));
  store(dgate + i, g.gate, rest);
  store(dup + i, g.up, rest);
}

template <class S>
constexpr SwigluRows rows() {
  return {forward<S>, backward<S>};
}

}  // namespace

extern const SwigluRows swiglu_rows[4] = {rows<F16>(), rows<Bf16>(), rows<float>(), rows<double>()};

}  // namespace hearth::cpu::HEARTH_ISA
