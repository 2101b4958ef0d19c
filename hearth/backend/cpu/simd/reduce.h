// Reduce: sums and maxima over a row in a fixed order that depends on the row's length only.
#pragma once

#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {

/// Sum over [0, n) of value(i), which returns the Vec of elements i, i+1, ...; tail(i, count) returns the last `count`
/// of them with zeros behind. Four running Vecs inside pieces of 4096 elements, pieces added in order, then lanes
/// folded. Example: tree_sum<float>(n, [&](int64_t i) { return load(x + i); }, [&](int64_t i, int c) { return load(x +
/// i, c); });
template <class T, class Value, class Tail>
inline T tree_sum(int64_t n, Value value, Tail tail) {
  constexpr int64_t size = Vec<T>::size, piece = 4096;
  Vec<T> total = Vec<T>::zero();
  for (int64_t start = 0; start < n; start += piece) {
    const int64_t end = n - start < piece ? n : start + piece;
    Vec<T> a = Vec<T>::zero(), b = a, c = a, d = a;
    int64_t i = start;
    for (; i + 4 * size <= end; i += 4 * size) {
      a += value(i);
      b += value(i + size);
      c += value(i + 2 * size);
      d += value(i + 3 * size);
    }
    for (; i + size <= end; i += size) a += value(i);
    if (i < end) b += tail(i, int(end - i));
    total += (a + b) + (c + d);
  }
  return reduce(total, [](Vec<T> x, Vec<T> y) { return x + y; });
}

/// Maximum of a row of n >= 1 elements of storage type S; a NaN may be lost (whoever sums afterwards still meets it).
template <class S>
inline Compute<S> row_max(const S* x, int64_t n) {
  using V = VecOf<S>;
  constexpr int64_t size = V::size;
  const V lowest = V::broadcast(Compute<S>(-INFINITY));
  V a = lowest, b = lowest;
  int64_t i = 0;
  for (; i + 2 * size <= n; i += 2 * size) {
    a = max(a, load(x + i));
    b = max(b, load(x + i + size));
  }
  if (i + size <= n) a = max(a, load(x + i));
  if (n >= size) b = max(b, load(x + n - size));  // elements met twice change no maximum
  Compute<S> best = reduce(max(a, b), [](V p, V q) { return max(p, q); });
  for (i = 0; n < size && i < n; ++i) {
    const Compute<S> value = reduce(V(load(x + i, 1)), [](V p, V) { return p; });
    best = best > value ? best : value;
  }
  return best;
}

}  // namespace hearth::cpu::HEARTH_ISA
