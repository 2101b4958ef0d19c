// Rotary embedding: the two halves of a head are the two axes that turn.
#include "hearth/backend/cpu/simd/rotary.h"

#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

template <class S>
void rotate(const void* x_, void* y_, const void* cos_, const void* sin_, int64_t half, int64_t dim, bool inverse) {
  using T = Compute<S>;
  using V = Vec<T>;
  const S *low = static_cast<const S*>(x_), *high = low + half;
  S *y_low = static_cast<S*>(y_), *y_high = y_low + half;
  const T *cosine = static_cast<const T*>(cos_), *sine = static_cast<const T*>(sin_);
  const V sign = V::broadcast(inverse ? T(-1) : T(1));
  const auto turn = [&](V a, V b, V c, V s, int64_t i, auto put) {
    s *= sign;
    put(y_low + i, a * c - b * s);
    put(y_high + i, b * c + a * s);
  };
  int64_t i = 0;
  for (; i + V::size <= half; i += V::size)
    turn(load(low + i), load(high + i), load(cosine + i), load(sine + i), i, [](S* p, V v) { store(p, v); });
  if (i < half) {
    const int n = int(half - i);
    turn(load(low + i, n), load(high + i, n), load(cosine + i, n), load(sine + i, n), i,
         [n](S* p, V v) { store(p, v, n); });
  }
  for (int64_t k = 2 * half; k < dim; ++k) y_low[k] = low[k];
}

}  // namespace

extern const RotaryRows rotary_rows[4] = {{rotate<F16>}, {rotate<Bf16>}, {rotate<float>}, {rotate<double>}};

}  // namespace hearth::cpu::HEARTH_ISA
