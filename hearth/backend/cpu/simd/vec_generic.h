// Vec in portable C++: plain arrays of 8 floats or 4 doubles that the compiler may put into registers as it likes.
// Included by vec.h only.
#pragma once

namespace hearth::cpu::HEARTH_ISA {

inline uint32_t bits_of(float x) {
  uint32_t b;
  memcpy(&b, &x, sizeof b);
  return b;
}
inline float of_bits(uint32_t b) {
  float x;
  memcpy(&x, &b, sizeof x);
  return x;
}

template <class T, int N>
struct ArrayMask {
  bool m[N];
};
template <>
struct Mask<float> : ArrayMask<float, 8> {};
template <>
struct Mask<double> : ArrayMask<double, 4> {};

/// The part that both element types share.
template <class T, int N>
struct ArrayVec {
  using Element = T;
  static constexpr int size = N;
  T v[N];

  static Vec<T> broadcast(T x) {
    Vec<T> r;
    for (int i = 0; i < N; ++i) r.v[i] = x;
    return r;
  }
  static Vec<T> zero() { return broadcast(T(0)); }
  static Vec<T> load(const T* p) {
    Vec<T> r;
    for (int i = 0; i < N; ++i) r.v[i] = p[i];
    return r;
  }
  static Vec<T> load(const T* p, int n) {
    Vec<T> r = zero();
    for (int i = 0; i < n; ++i) r.v[i] = p[i];
    return r;
  }
  void store(T* p) const {
    for (int i = 0; i < N; ++i) p[i] = v[i];
  }
  void store(T* p, int n) const {
    for (int i = 0; i < n; ++i) p[i] = v[i];
  }
};
template <>
struct Vec<float> : ArrayVec<float, 8> {};
template <>
struct Vec<double> : ArrayVec<double, 4> {};

#define HEARTH_EACH(RESULT, FIELD, EXPRESSION)                      \
  {                                                                 \
    RESULT<T> r;                                                    \
    for (int i = 0; i < Vec<T>::size; ++i) r.FIELD[i] = EXPRESSION; \
    return r;                                                       \
  }

template <class T>
inline Vec<T> operator+(Vec<T> a, Vec<T> b) HEARTH_EACH(Vec, v, a.v[i] + b.v[i]) template <class T>
inline Vec<T> operator-(Vec<T> a, Vec<T> b) HEARTH_EACH(Vec, v, a.v[i] - b.v[i]) template <class T>
inline Vec<T> operator*(Vec<T> a, Vec<T> b) HEARTH_EACH(Vec, v, a.v[i] * b.v[i]) template <class T>
inline Vec<T> operator/(Vec<T> a, Vec<T> b) HEARTH_EACH(Vec, v, a.v[i] / b.v[i]) template <class T>
inline Vec<T> operator-(Vec<T> a) HEARTH_EACH(Vec, v, -a.v[i]) template <class T>
inline Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) HEARTH_EACH(Vec, v, a.v[i] * b.v[i] + c.v[i]) template <class T>
inline Vec<T> max(Vec<T> a, Vec<T> b) HEARTH_EACH(Vec, v, a.v[i] > b.v[i] ? a.v[i] : b.v[i]) template <class T>
inline Vec<T> min(Vec<T> a, Vec<T> b) HEARTH_EACH(Vec, v, a.v[i] < b.v[i] ? a.v[i] : b.v[i]) template <class T>
inline Vec<T> sqrt(Vec<T> a) HEARTH_EACH(Vec, v, T(::sqrt(double(a.v[i])))) template <class T>
inline Vec<T> abs(Vec<T> a) HEARTH_EACH(Vec, v, T(::fabs(double(a.v[i])))) template <class T>
inline Vec<T> copysign(Vec<T> a, Vec<T> sign)
    HEARTH_EACH(Vec, v, T(::copysign(double(a.v[i]), double(sign.v[i])))) template <class T>
    inline Vec<T> floor(Vec<T> a) HEARTH_EACH(Vec, v, T(::floor(double(a.v[i])))) template <class T>
    inline Vec<T> ceil(Vec<T> a) HEARTH_EACH(Vec, v, T(::ceil(double(a.v[i])))) template <class T>
    inline Vec<T> trunc(Vec<T> a) HEARTH_EACH(Vec, v, T(::trunc(double(a.v[i])))) template <class T>
    inline Vec<T> round_even(Vec<T> a) HEARTH_EACH(Vec, v, T(::rint(double(a.v[i])))) template <class T>
    inline Mask<T> operator<(Vec<T> a, Vec<T> b) HEARTH_EACH(Mask, m, a.v[i] < b.v[i]) template <class T>
    inline Mask<T> operator<=(Vec<T> a, Vec<T> b) HEARTH_EACH(Mask, m, a.v[i] <= b.v[i]) template <class T>
    inline Mask<T> operator>(Vec<T> a, Vec<T> b) HEARTH_EACH(Mask, m, a.v[i] > b.v[i]) template <class T>
    inline Mask<T> operator>=(Vec<T> a, Vec<T> b) HEARTH_EACH(Mask, m, a.v[i] >= b.v[i]) template <class T>
    inline Mask<T> operator==(Vec<T> a, Vec<T> b) HEARTH_EACH(Mask, m, a.v[i] == b.v[i]) template <class T>
    inline Mask<T> operator!=(Vec<T> a, Vec<T> b) HEARTH_EACH(Mask, m, a.v[i] != b.v[i]) template <class T>
    inline Mask<T> operator&(Mask<T> a, Mask<T> b) HEARTH_EACH(Mask, m, a.m[i] && b.m[i]) template <class T>
    inline Mask<T> operator|(Mask<T> a, Mask<T> b) HEARTH_EACH(Mask, m, a.m[i] || b.m[i]) template <class T>
    inline Mask<T> operator~(Mask<T> a) HEARTH_EACH(Mask, m, !a.m[i]) template <class T>
    inline Vec<T> select(Mask<T> m, Vec<T> yes, Vec<T> no) HEARTH_EACH(Vec, v, m.m[i] ? yes.v[i] : no.v[i])
#undef HEARTH_EACH

        template <class T>
        inline bool any(Mask<T> a) {
  bool r = false;
  for (int i = 0; i < Vec<T>::size; ++i) r = r || a.m[i];
  return r;
}
template <class T>
inline bool all(Mask<T> a) {
  bool r = true;
  for (int i = 0; i < Vec<T>::size; ++i) r = r && a.m[i];
  return r;
}

/// Folds lanes i and i + half with `op` until one is left.
template <class T, class Op>
inline T reduce(Vec<T> a, Op op) {
  for (int half = Vec<T>::size / 2; half > 0; half /= 2) {
    Vec<T> upper = a;
    for (int i = 0; i < half; ++i) upper.v[i] = a.v[i + half];
    a = op(a, upper);
  }
  return a.v[0];
}

inline uint16_t to_bf16(float x) {
  const uint32_t b = bits_of(x);
  if ((b & 0x7fffffffu) > 0x7f800000u) return uint16_t((b >> 16) | 0x0040u);
  return uint16_t((b + 0x7fffu + ((b >> 16) & 1u)) >> 16);
}
inline float from_bf16(uint16_t h) { return of_bits(uint32_t(h) << 16); }

inline uint16_t to_f16(float x) {
  const uint32_t sign = (bits_of(x) >> 16) & 0x8000u, magnitude = bits_of(x) & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return uint16_t(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return uint16_t(sign | 0x7c00u);
  // Below the smallest normal float16 the sum's last bit is worth 2^-24, so the adder itself rounds.
  if (magnitude < 0x38800000u) return uint16_t(sign | (bits_of(of_bits(magnitude) + 0.5f) - 0x3f000000u));
  return uint16_t(sign | ((magnitude + 0xfffu + ((magnitude >> 13) & 1u) - 0x38000000u) >> 13));
}
inline float from_f16(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000u) << 16, exponent = (h >> 10) & 0x1fu, mantissa = h & 0x3ffu;
  if (exponent == 31) return of_bits(sign | 0x7f800000u | (mantissa ? 0x00400000u : 0u) | (mantissa << 13));
  if (exponent != 0) return of_bits(sign | ((exponent + 112) << 23) | (mantissa << 13));
  return of_bits(sign | bits_of(float(mantissa) * 0x1p-24f));
}

inline Vec<float> load_bf16(const uint16_t* p, int n) {
  Vec<float> r = Vec<float>::zero();
  for (int i = 0; i < n; ++i) r.v[i] = from_bf16(p[i]);
  return r;
}
inline Vec<float> load_bf16(const uint16_t* p) { return load_bf16(p, Vec<float>::size); }
inline void store_bf16(uint16_t* p, Vec<float> v, int n) {
  for (int i = 0; i < n; ++i) p[i] = to_bf16(v.v[i]);
}
inline void store_bf16(uint16_t* p, Vec<float> v) { store_bf16(p, v, Vec<float>::size); }
inline Vec<float> load_f16(const uint16_t* p, int n) {
  Vec<float> r = Vec<float>::zero();
  for (int i = 0; i < n; ++i) r.v[i] = from_f16(p[i]);
  return r;
}
inline Vec<float> load_f16(const uint16_t* p) { return load_f16(p, Vec<float>::size); }
inline void store_f16(uint16_t* p, Vec<float> v, int n) {
  for (int i = 0; i < n; ++i) p[i] = to_f16(v.v[i]);
}
inline void store_f16(uint16_t* p, Vec<float> v) { store_f16(p, v, Vec<float>::size); }

/// Vec<double>::size floats, widened exactly; and narrowed to nearest even.
inline Vec<double> load_widened(const float* p, int n) {
  Vec<double> r = Vec<double>::zero();
  for (int i = 0; i < n; ++i) r.v[i] = p[i];
  return r;
}
inline Vec<double> load_widened(const float* p) { return load_widened(p, Vec<double>::size); }
inline void store_narrowed(float* p, Vec<double> v, int n) {
  for (int i = 0; i < n; ++i) p[i] = float(v.v[i]);
}
inline void store_narrowed(float* p, Vec<double> v) { store_narrowed(p, v, Vec<double>::size); }

}  // namespace hearth::cpu::HEARTH_ISA
