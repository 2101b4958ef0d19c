// Vec on AVX2 with FMA and F16C: 8 floats or 4 doubles, masks as full registers. Included by vec.h only.
#pragma once

#include <immintrin.h>

namespace hearth::cpu::HEARTH_ISA {

template <>
struct Mask<float> {
  __m256 m;
};
template <>
struct Mask<double> {
  __m256d m;
};

/// All bits set in the first n of 8 (or 4) lanes.
inline __m256i first_lanes8(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_lanes4(int n) { return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)); }

template <>
struct Vec<float> {
  using Element = float;
  static constexpr int size = 8;
  __m256 v;

  static Vec zero() { return {_mm256_setzero_ps()}; }
  static Vec broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vec load(const float* p, int n) { return {_mm256_maskload_ps(p, first_lanes8(n))}; }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void store(float* p, int n) const { _mm256_maskstore_ps(p, first_lanes8(n), v); }
};

template <>
struct Vec<double> {
  using Element = double;
  static constexpr int size = 4;
  __m256d v;

  static Vec zero() { return {_mm256_setzero_pd()}; }
  static Vec broadcast(double x) { return {_mm256_set1_pd(x)}; }
  static Vec load(const double* p) { return {_mm256_loadu_pd(p)}; }
  static Vec load(const double* p, int n) { return {_mm256_maskload_pd(p, first_lanes4(n))}; }
  void store(double* p) const { _mm256_storeu_pd(p, v); }
  void store(double* p, int n) const { _mm256_maskstore_pd(p, first_lanes4(n), v); }
};

#define HEARTH_VEC(T, S, ALL)                                                                                \
  inline Vec<T> operator+(Vec<T> a, Vec<T> b) { return {_mm256_add_##S(a.v, b.v)}; }                         \
  inline Vec<T> operator-(Vec<T> a, Vec<T> b) { return {_mm256_sub_##S(a.v, b.v)}; }                         \
  inline Vec<T> operator*(Vec<T> a, Vec<T> b) { return {_mm256_mul_##S(a.v, b.v)}; }                         \
  inline Vec<T> operator/(Vec<T> a, Vec<T> b) { return {_mm256_div_##S(a.v, b.v)}; }                         \
  inline Vec<T> operator-(Vec<T> a) { return {_mm256_xor_##S(a.v, _mm256_set1_##S(T(-0.0)))}; }              \
  inline Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) { return {_mm256_fmadd_##S(a.v, b.v, c.v)}; }              \
  inline Vec<T> max(Vec<T> a, Vec<T> b) { return {_mm256_max_##S(a.v, b.v)}; }                               \
  inline Vec<T> min(Vec<T> a, Vec<T> b) { return {_mm256_min_##S(a.v, b.v)}; }                               \
  inline Vec<T> sqrt(Vec<T> a) { return {_mm256_sqrt_##S(a.v)}; }                                            \
  inline Vec<T> abs(Vec<T> a) { return {_mm256_andnot_##S(_mm256_set1_##S(T(-0.0)), a.v)}; }                 \
  inline Vec<T> copysign(Vec<T> a, Vec<T> sign) {                                                            \
    const auto bit = _mm256_set1_##S(T(-0.0));                                                               \
    return {_mm256_or_##S(_mm256_andnot_##S(bit, a.v), _mm256_and_##S(bit, sign.v))};                        \
  }                                                                                                          \
  inline Vec<T> floor(Vec<T> a) { return {_mm256_floor_##S(a.v)}; }                                          \
  inline Vec<T> ceil(Vec<T> a) { return {_mm256_ceil_##S(a.v)}; }                                            \
  inline Vec<T> trunc(Vec<T> a) { return {_mm256_round_##S(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }  \
  inline Vec<T> round_even(Vec<T> a) {                                                                       \
    return {_mm256_round_##S(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};                           \
  }                                                                                                          \
  inline Mask<T> operator<(Vec<T> a, Vec<T> b) { return {_mm256_cmp_##S(a.v, b.v, _CMP_LT_OQ)}; }            \
  inline Mask<T> operator<=(Vec<T> a, Vec<T> b) { return {_mm256_cmp_##S(a.v, b.v, _CMP_LE_OQ)}; }           \
  inline Mask<T> operator>(Vec<T> a, Vec<T> b) { return {_mm256_cmp_##S(a.v, b.v, _CMP_GT_OQ)}; }            \
  inline Mask<T> operator>=(Vec<T> a, Vec<T> b) { return {_mm256_cmp_##S(a.v, b.v, _CMP_GE_OQ)}; }           \
  inline Mask<T> operator==(Vec<T> a, Vec<T> b) { return {_mm256_cmp_##S(a.v, b.v, _CMP_EQ_OQ)}; }           \
  inline Mask<T> operator!=(Vec<T> a, Vec<T> b) { return {_mm256_cmp_##S(a.v, b.v, _CMP_NEQ_UQ)}; }          \
  inline Mask<T> operator&(Mask<T> a, Mask<T> b) { return {_mm256_and_##S(a.m, b.m)}; }                      \
  inline Mask<T> operator|(Mask<T> a, Mask<T> b) { return {_mm256_or_##S(a.m, b.m)}; }                       \
  inline Mask<T> operator~(Mask<T> a) {                                                                      \
    return {_mm256_andnot_##S(a.m, _mm256_cmp_##S(_mm256_setzero_##S(), _mm256_setzero_##S(), _CMP_EQ_OQ))}; \
  }                                                                                                          \
  inline bool any(Mask<T> a) { return _mm256_movemask_##S(a.m) != 0; }                                       \
  inline bool all(Mask<T> a) { return _mm256_movemask_##S(a.m) == ALL; }                                     \
  inline Vec<T> select(Mask<T> m, Vec<T> yes, Vec<T> no) { return {_mm256_blendv_##S(no.v, yes.v, m.m)}; }

HEARTH_VEC(float, ps, 0xff)
HEARTH_VEC(double, pd, 0xf)
#undef HEARTH_VEC

/// Folds lanes i and i + half with `op` until one is left.
template <class Op>
inline float reduce(Vec<float> a, Op op) {
  a = op(a, Vec<float>{_mm256_permute2f128_ps(a.v, a.v, 0x01)});
  a = op(a, Vec<float>{_mm256_shuffle_ps(a.v, a.v, 0x4e)});
  a = op(a, Vec<float>{_mm256_shuffle_ps(a.v, a.v, 0xb1)});
  return _mm256_cvtss_f32(a.v);
}
template <class Op>
inline double reduce(Vec<double> a, Op op) {
  a = op(a, Vec<double>{_mm256_permute2f128_pd(a.v, a.v, 0x01)});
  a = op(a, Vec<double>{_mm256_shuffle_pd(a.v, a.v, 0x5)});
  return _mm256_cvtsd_f64(a.v);
}

inline __m128i bf16_bits(__m256 v) {
  const __m256i b = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(b, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i quiet = _mm256_or_si256(b, _mm256_set1_epi32(0x00400000));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0x08);
  return _mm256_castsi256_si128(packed);
}
inline Vec<float> from_bf16_bits(__m128i bits) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16))};
}
inline __m128i load_halves(const uint16_t* p, int n) {
  uint16_t lanes[8] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i];
  return _mm_loadu_si128((const __m128i*)lanes);
}
inline void store_halves(uint16_t* p, __m128i bits, int n) {
  uint16_t lanes[8];
  _mm_storeu_si128((__m128i*)lanes, bits);
  for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
inline Vec<float> load_bf16(const uint16_t* p) { return from_bf16_bits(_mm_loadu_si128((const __m128i*)p)); }
inline Vec<float> load_bf16(const uint16_t* p, int n) { return from_bf16_bits(load_halves(p, n)); }
inline void store_bf16(uint16_t* p, Vec<float> v) { _mm_storeu_si128((__m128i*)p, bf16_bits(v.v)); }
inline void store_bf16(uint16_t* p, Vec<float> v, int n) { store_halves(p, bf16_bits(v.v), n); }
inline __m128i f16_bits(__m256 v) { return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vec<float> load_f16(const uint16_t* p) { return {_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p))}; }
inline Vec<float> load_f16(const uint16_t* p, int n) { return {_mm256_cvtph_ps(load_halves(p, n))}; }
inline void store_f16(uint16_t* p, Vec<float> v) { _mm_storeu_si128((__m128i*)p, f16_bits(v.v)); }
inline void store_f16(uint16_t* p, Vec<float> v, int n) { store_halves(p, f16_bits(v.v), n); }

/// Vec<double>::size floats, widened exactly; and narrowed to nearest even.
inline Vec<double> load_widened(const float* p) { return {_mm256_cvtps_pd(_mm_loadu_ps(p))}; }
inline Vec<double> load_widened(const float* p, int n) {
  return {_mm256_cvtps_pd(_mm_maskload_ps(p, _mm256_castsi256_si128(first_lanes8(n))))};
}
inline void store_narrowed(float* p, Vec<double> v) { _mm_storeu_ps(p, _mm256_cvtpd_ps(v.v)); }
inline void store_narrowed(float* p, Vec<double> v, int n) {
  _mm_maskstore_ps(p, _mm256_castsi256_si128(first_lanes8(n)), _mm256_cvtpd_ps(v.v));
}

}  // namespace hearth::cpu::HEARTH_ISA
