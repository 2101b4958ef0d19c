// Vec: one SIMD register of floats or doubles, with the same interface on every instruction set. Compiled once per set;
// everything lies in that set's namespace, so no symbol of one set can replace another's.
//
// Include only from hearth/backend/cpu/simd/*.cpp. What all sets promise:
// - Vec<T>::size lanes; load(p, n) and store(p, n) touch n lanes only (0 <= n <= size), absent lanes read as 0;
// - a lane's result depends on that lane's inputs only, never on its position or on its neighbours, so a tail done with
//   load(p, n) gives the bits that the vector body gives;
// - fma(a, b, c) is a*b + c: one rounding on avx2 and avx512, two on generic; nothing else is fused;
// - max(a, b) is a > b ? a : b (b if one is NaN), min likewise; max_nan and min_nan give NaN if one is NaN;
// - reduce_* combine lanes i and i + size/2, then halve again: a fixed tree;
// - float16 and bfloat16 are rounded to nearest even, with the bits of hearth/core/half.h;
// - elementary functions: SLEEF's 1 ulp versions (vec_math.h); libm on generic.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef HEARTH_ISA
#error "vec.h is for files that are compiled per instruction set"
#endif

namespace hearth::cpu::HEARTH_ISA {

/// Storage types of 16 bits: the same bytes as hearth::bfloat16 and hearth::float16.
struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};

template <class T>
struct Vec;
template <class T>
struct Mask;

}  // namespace hearth::cpu::HEARTH_ISA

#if defined(HEARTH_ISA_avx512)
#include "hearth/backend/cpu/simd/vec_avx512.h"
#elif defined(HEARTH_ISA_avx2)
#include "hearth/backend/cpu/simd/vec_avx2.h"
#else
#include "hearth/backend/cpu/simd/vec_generic.h"
#endif

namespace hearth::cpu::HEARTH_ISA {

/// The type that arithmetic on elements stored as S is done in: float for float, Bf16 and F16; double for double.
template <class S>
struct ComputeOf {
  using type = float;
};
template <>
struct ComputeOf<double> {
  using type = double;
};
template <class S>
using Compute = typename ComputeOf<S>::type;
template <class S>
using VecOf = Vec<Compute<S>>;

/// load(p): size elements of any storage type as a Vec of its compute type; load(p, n): the first n, the rest 0.
inline Vec<float> load(const float* p) { return Vec<float>::load(p); }
inline Vec<float> load(const float* p, int n) { return Vec<float>::load(p, n); }
inline Vec<double> load(const double* p) { return Vec<double>::load(p); }
inline Vec<double> load(const double* p, int n) { return Vec<double>::load(p, n); }
inline Vec<float> load(const Bf16* p) { return load_bf16(&p->bits); }
inline Vec<float> load(const Bf16* p, int n) { return load_bf16(&p->bits, n); }
inline Vec<float> load(const F16* p) { return load_f16(&p->bits); }
inline Vec<float> load(const F16* p, int n) { return load_f16(&p->bits, n); }

/// store(p, v) and store(p, v, n): the reverse of `load`, rounded once.
inline void store(float* p, Vec<float> v) { v.store(p); }
inline void store(float* p, Vec<float> v, int n) { v.store(p, n); }
inline void store(double* p, Vec<double> v) { v.store(p); }
inline void store(double* p, Vec<double> v, int n) { v.store(p, n); }
inline void store(Bf16* p, Vec<float> v) { store_bf16(&p->bits, v); }
inline void store(Bf16* p, Vec<float> v, int n) { store_bf16(&p->bits, v, n); }
inline void store(F16* p, Vec<float> v) { store_f16(&p->bits, v); }
inline void store(F16* p, Vec<float> v, int n) { store_f16(&p->bits, v, n); }

template <class T>
inline Vec<T>& operator+=(Vec<T>& a, Vec<T> b) {
  return a = a + b;
}
template <class T>
inline Vec<T>& operator-=(Vec<T>& a, Vec<T> b) {
  return a = a - b;
}
template <class T>
inline Vec<T>& operator*=(Vec<T>& a, Vec<T> b) {
  return a = a * b;
}
template <class T>
inline Vec<T>& operator/=(Vec<T>& a, Vec<T> b) {
  return a = a / b;
}

/// Lanes that are NaN.
template <class T>
inline Mask<T> is_nan(Vec<T> a) {
  return a != a;
}
/// a > b ? a : b, but NaN if a or b is.
template <class T>
inline Vec<T> max_nan(Vec<T> a, Vec<T> b) {
  return select(is_nan(a), a, max(a, b));
}
/// a < b ? a : b, but NaN if a or b is.
template <class T>
inline Vec<T> min_nan(Vec<T> a, Vec<T> b) {
  return select(is_nan(a), a, min(a, b));
}

}  // namespace hearth::cpu::HEARTH_ISA

#include "hearth/backend/cpu/simd/vec_math.h"
