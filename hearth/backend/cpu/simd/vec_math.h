// Elementary functions of Vec: SLEEF at 1 ulp (libm on generic), each lane independent of its neighbours.
// Included by vec.h only.
#pragma once

#if defined(HEARTH_ISA_avx512) || defined(HEARTH_ISA_avx2)
#include <sleef.h>
#endif

namespace hearth::cpu::HEARTH_ISA {

#if defined(HEARTH_ISA_avx512)
#define HEARTH_MATH(NAME, SLEEF, ULP)                                                        \
  inline Vec<float> NAME(Vec<float> x) { return {Sleef_##SLEEF##f16_u##ULP##avx512f(x.v)}; } \
  inline Vec<double> NAME(Vec<double> x) { return {Sleef_##SLEEF##d8_u##ULP##avx512f(x.v)}; }
#define HEARTH_MATH2(NAME, ULP)                                                                                \
  inline Vec<float> NAME(Vec<float> x, Vec<float> y) { return {Sleef_##NAME##f16_u##ULP##avx512f(x.v, y.v)}; } \
  inline Vec<double> NAME(Vec<double> x, Vec<double> y) { return {Sleef_##NAME##d8_u##ULP##avx512f(x.v, y.v)}; }
#elif defined(HEARTH_ISA_avx2)
#define HEARTH_MATH(NAME, SLEEF, ULP)                                                    \
  inline Vec<float> NAME(Vec<float> x) { return {Sleef_##SLEEF##f8_u##ULP##avx2(x.v)}; } \
  inline Vec<double> NAME(Vec<double> x) { return {Sleef_##SLEEF##d4_u##ULP##avx2(x.v)}; }
#define HEARTH_MATH2(NAME, ULP)                                                                            \
  inline Vec<float> NAME(Vec<float> x, Vec<float> y) { return {Sleef_##NAME##f8_u##ULP##avx2(x.v, y.v)}; } \
  inline Vec<double> NAME(Vec<double> x, Vec<double> y) { return {Sleef_##NAME##d4_u##ULP##avx2(x.v, y.v)}; }
#else
// libm in double for floats: slower than expf, but right to half an ulp of float, and the same on every libm.
#define HEARTH_MATH(NAME, SLEEF, ULP)                                           \
  template <class T>                                                            \
  inline Vec<T> NAME(Vec<T> x) {                                                \
    for (int i = 0; i < Vec<T>::size; ++i) x.v[i] = T(::SLEEF(double(x.v[i]))); \
    return x;                                                                   \
  }
#define HEARTH_MATH2(NAME, ULP)                                                                \
  template <class T>                                                                           \
  inline Vec<T> NAME(Vec<T> x, Vec<T> y) {                                                     \
    for (int i = 0; i < Vec<T>::size; ++i) x.v[i] = T(::NAME(double(x.v[i]), double(y.v[i]))); \
    return x;                                                                                  \
  }
#endif

HEARTH_MATH(exp, exp, 10)
HEARTH_MATH(exp2, exp2, 10)
HEARTH_MATH(expm1, expm1, 10)
HEARTH_MATH(log, log, 10)
HEARTH_MATH(log2, log2, 10)
HEARTH_MATH(log10, log10, 10)
HEARTH_MATH(log1p, log1p, 10)
HEARTH_MATH(sinh, sinh, 10)
HEARTH_MATH(cosh, cosh, 10)
HEARTH_MATH(asin, asin, 10)
HEARTH_MATH(acos, acos, 10)
HEARTH_MATH(atan, atan, 10)
HEARTH_MATH(asinh, asinh, 10)
HEARTH_MATH(acosh, acosh, 10)
HEARTH_MATH(atanh, atanh, 10)
HEARTH_MATH(erf, erf, 10)
HEARTH_MATH(erfc, erfc, 15)
HEARTH_MATH2(pow, 10)
HEARTH_MATH2(atan2, 10)

#if defined(HEARTH_ISA_avx512) || defined(HEARTH_ISA_avx2)
HEARTH_MATH(sleef_sin, sin, 10)
HEARTH_MATH(sleef_cos, cos, 10)
HEARTH_MATH(sleef_tan, tan, 10)
HEARTH_MATH(sleef_tanh, tanh, 10)

/// SLEEF's sin, cos and tan take a short argument reduction only if every lane allows it, so a lane's last bit could
/// change with its neighbours. Here each class of lanes is computed with the other lanes replaced by a member of the
/// class. The bounds are those of SLEEF 3.5: 125 for float; 15 and 1e14 for double.
template <class T, class F>
inline Vec<T> by_class(Vec<T> x, T bound, F inside, F outside) {
  const Mask<T> is_inside = abs(x) < Vec<T>::broadcast(bound);
  if (all(is_inside)) return inside(x);
  if (!any(is_inside)) return outside(x);
  return select(is_inside, inside(select(is_inside, x, Vec<T>::zero())),
                outside(select(is_inside, Vec<T>::broadcast(T(2) * bound), x)));
}
using FloatFunction = Vec<float> (*)(Vec<float>);
using DoubleFunction = Vec<double> (*)(Vec<double>);
template <FloatFunction f>
inline Vec<float> trigonometric(Vec<float> x) {
  return by_class<float, FloatFunction>(x, 125.0f, f, f);
}
template <DoubleFunction f>
inline Vec<double> trigonometric_outside(Vec<double> x) {
  return by_class<double, DoubleFunction>(x, 1e14, f, f);
}
template <DoubleFunction f>
inline Vec<double> trigonometric(Vec<double> x) {
  return by_class<double, DoubleFunction>(x, 15.0, f, trigonometric_outside<f>);
}
inline Vec<float> sin(Vec<float> x) { return trigonometric<&sleef_sin>(x); }
inline Vec<float> cos(Vec<float> x) { return trigonometric<&sleef_cos>(x); }
inline Vec<float> tan(Vec<float> x) { return trigonometric<&sleef_tan>(x); }
inline Vec<double> sin(Vec<double> x) { return trigonometric<&sleef_sin>(x); }
inline Vec<double> cos(Vec<double> x) { return trigonometric<&sleef_cos>(x); }
inline Vec<double> tan(Vec<double> x) { return trigonometric<&sleef_tan>(x); }

/// tanh, three times as fast as SLEEF's: near 0 an odd polynomial (a Chebyshev fit of (tanh(x)/x - 1)/x^2 on
/// |x| < 0.65, relative error 1e-9), elsewhere 1 - 2/(exp(2|x|) + 1).
inline Vec<float> tanh(Vec<float> x) {
  using V = Vec<float>;
  const V magnitude = abs(x), square = x * x;
  V p = V::broadcast(0x1.224fcdp-9f);
  p = fma(p, square, V::broadcast(-0x1.0f1266p-7f));
  p = fma(p, square, V::broadcast(0x1.644a1ep-6f));
  p = fma(p, square, V::broadcast(-0x1.ba02aap-5f));
  p = fma(p, square, V::broadcast(0x1.1110d8p-3f));
  p = fma(p, square, V::broadcast(-0x1.555556p-2f));
  const V near = fma(p * square, x, x);
  const V one = V::broadcast(1.0f);
  const V far = one - V::broadcast(2.0f) / (exp(magnitude + magnitude) + one);
  return select(magnitude < V::broadcast(0.625f), near, copysign(far, x));
}
inline Vec<double> tanh(Vec<double> x) { return sleef_tanh(x); }
#else
HEARTH_MATH(sin, sin, 10)
HEARTH_MATH(cos, cos, 10)
HEARTH_MATH(tan, tan, 10)
HEARTH_MATH(tanh, tanh, 10)
#endif
#undef HEARTH_MATH
#undef HEARTH_MATH2

/// 1 / (1 + exp(-x)).
template <class T>
inline Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> one = Vec<T>::broadcast(T(1));
  return one / (one + exp(-x));
}

/// Sum, largest and smallest of the lanes, in a fixed tree; largest and smallest are NaN if a lane is.
template <class T>
inline T reduce_add(Vec<T> a) {
  return reduce(a, [](Vec<T> x, Vec<T> y) { return x + y; });
}
template <class T>
inline T reduce_max(Vec<T> a) {
  return reduce(a, [](Vec<T> x, Vec<T> y) { return max_nan(x, y); });
}
template <class T>
inline T reduce_min(Vec<T> a) {
  return reduce(a, [](Vec<T> x, Vec<T> y) { return min_nan(x, y); });
}

}  // namespace hearth::cpu::HEARTH_ISA
