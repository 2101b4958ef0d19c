// Vec on AVX-512: 16 floats or 8 doubles, masks in k registers. Included by vec.h only.
#pragma once

// g++ 12's own headers start "undefined" registers from themselves, which it then warns about wherever they are
// inlined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace hearth::cpu::HEARTH_ISA {

template <>
struct Mask<float> {
  __mmask16 m;
};
template <>
struct Mask<double> {
  __mmask8 m;
};

inline __mmask16 first_lanes16(int n) { return __mmask16((1u << n) - 1); }
inline __mmask8 first_lanes8(int n) { return __mmask8((1u << n) - 1); }

template <>
struct Vec<float> {
  using Element = float;
  static constexpr int size = 16;
  __m512 v;

  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec load(const float* p, int n) { return {_mm512_maskz_loadu_ps(first_lanes16(n), p)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store(float* p, int n) const { _mm512_mask_storeu_ps(p, first_lanes16(n), v); }
};

template <>
struct Vec<double> {
  using Element = double;
  static constexpr int size = 8;
  __m512d v;

  static Vec zero() { return {_mm512_setzero_pd()}; }
  static Vec broadcast(double x) { return {_mm512_set1_pd(x)}; }
  static Vec load(const double* p) { return {_mm512_loadu_pd(p)}; }
  static Vec load(const double* p, int n) { return {_mm512_maskz_loadu_pd(first_lanes8(n), p)}; }
  void store(double* p) const { _mm512_storeu_pd(p, v); }
  void store(double* p, int n) const { _mm512_mask_storeu_pd(p, first_lanes8(n), v); }
};

#define HEARTH_VEC(T, S, BITS)                                                                                      \
  inline Vec<T> operator+(Vec<T> a, Vec<T> b) { return {_mm512_add_##S(a.v, b.v)}; }                                \
  inline Vec<T> operator-(Vec<T> a, Vec<T> b) { return {_mm512_sub_##S(a.v, b.v)}; }                                \
  inline Vec<T> operator*(Vec<T> a, Vec<T> b) { return {_mm512_mul_##S(a.v, b.v)}; }                                \
  inline Vec<T> operator/(Vec<T> a, Vec<T> b) { return {_mm512_div_##S(a.v, b.v)}; }                                \
  inline Vec<T> operator-(Vec<T> a) { return {_mm512_xor_##S(a.v, _mm512_set1_##S(T(-0.0)))}; }                     \
  inline Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) { return {_mm512_fmadd_##S(a.v, b.v, c.v)}; }                     \
  inline Vec<T> max(Vec<T> a, Vec<T> b) { return {_mm512_max_##S(a.v, b.v)}; }                                      \
  inline Vec<T> min(Vec<T> a, Vec<T> b) { return {_mm512_min_##S(a.v, b.v)}; }                                      \
  inline Vec<T> sqrt(Vec<T> a) { return {_mm512_sqrt_##S(a.v)}; }                                                   \
  inline Vec<T> abs(Vec<T> a) { return {_mm512_andnot_##S(_mm512_set1_##S(T(-0.0)), a.v)}; }                        \
  inline Vec<T> copysign(Vec<T> a, Vec<T> sign) {                                                                   \
    const auto bit = _mm512_set1_##S(T(-0.0));                                                                      \
    return {_mm512_or_##S(_mm512_andnot_##S(bit, a.v), _mm512_and_##S(bit, sign.v))};                               \
  }                                                                                                                 \
  inline Vec<T> floor(Vec<T> a) { return {_mm512_roundscale_##S(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; } \
  inline Vec<T> ceil(Vec<T> a) { return {_mm512_roundscale_##S(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)}; }  \
  inline Vec<T> trunc(Vec<T> a) { return {_mm512_roundscale_##S(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }    \
  inline Vec<T> round_even(Vec<T> a) {                                                                              \
    return {_mm512_roundscale_##S(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};                             \
  }                                                                                                                 \
  inline Mask<T> operator<(Vec<T> a, Vec<T> b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_LT_OQ)}; }            \
  inline Mask<T> operator<=(Vec<T> a, Vec<T> b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_LE_OQ)}; }           \
  inline Mask<T> operator>(Vec<T> a, Vec<T> b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_GT_OQ)}; }            \
  inline Mask<T> operator>=(Vec<T> a, Vec<T> b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_GE_OQ)}; }           \
  inline Mask<T> operator==(Vec<T> a, Vec<T> b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_EQ_OQ)}; }           \
  inline Mask<T> operator!=(Vec<T> a, Vec<T> b) { return {_mm512_cmp_##S##_mask(a.v, b.v, _CMP_NEQ_UQ)}; }          \
  inline Mask<T> operator&(Mask<T> a, Mask<T> b) { return {__mmask##BITS(a.m & b.m)}; }                             \
  inline Mask<T> operator|(Mask<T> a, Mask<T> b) { return {__mmask##BITS(a.m | b.m)}; }                             \
  inline Mask<T> operator~(Mask<T> a) { return {__mmask##BITS(~a.m)}; }                                             \
  inline bool any(Mask<T> a) { return a.m != 0; }                                                                   \
  inline bool all(Mask<T> a) { return a.m == __mmask##BITS(-1); }                                                   \
  inline Vec<T> select(Mask<T> m, Vec<T> yes, Vec<T> no) { return {_mm512_mask_blend_##S(m.m, no.v, yes.v)}; }

HEARTH_VEC(float, ps, 16)
HEARTH_VEC(double, pd, 8)
#undef HEARTH_VEC

/// Folds lanes i and i + half with `op` until one is left.
template <class Op>
inline float reduce(Vec<float> a, Op op) {
  a = op(a, Vec<float>{_mm512_shuffle_f32x4(a.v, a.v, 0x4e)});
  a = op(a, Vec<float>{_mm512_shuffle_f32x4(a.v, a.v, 0xb1)});
  a = op(a, Vec<float>{_mm512_shuffle_ps(a.v, a.v, 0x4e)});
  a = op(a, Vec<float>{_mm512_shuffle_ps(a.v, a.v, 0xb1)});
  return _mm512_cvtss_f32(a.v);
}
template <class Op>
inline double reduce(Vec<double> a, Op op) {
  a = op(a, Vec<double>{_mm512_shuffle_f64x2(a.v, a.v, 0x4e)});
  a = op(a, Vec<double>{_mm512_shuffle_f64x2(a.v, a.v, 0xb1)});
  a = op(a, Vec<double>{_mm512_shuffle_pd(a.v, a.v, 0x55)});
  return _mm512_cvtsd_f64(a.v);
}

inline __m256i bf16_bits(__m512 v) {
  const __m512i b = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(b, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(b, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __m512i quiet = _mm512_or_si512(b, _mm512_set1_epi32(0x00400000));
  const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_blend_epi32(nan, rounded, quiet), 16));
}
inline Vec<float> from_bf16_bits(__m256i bits) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}
inline Vec<float> load_bf16(const uint16_t* p) { return from_bf16_bits(_mm256_loadu_si256((const __m256i*)p)); }
inline Vec<float> load_bf16(const uint16_t* p, int n) {
  return from_bf16_bits(_mm256_maskz_loadu_epi16(first_lanes16(n), p));
}
inline void store_bf16(uint16_t* p, Vec<float> v) { _mm256_storeu_si256((__m256i*)p, bf16_bits(v.v)); }
inline void store_bf16(uint16_t* p, Vec<float> v, int n) {
  _mm256_mask_storeu_epi16(p, first_lanes16(n), bf16_bits(v.v));
}
inline Vec<float> load_f16(const uint16_t* p) { return {_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p))}; }
inline Vec<float> load_f16(const uint16_t* p, int n) {
  return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes16(n), p))};
}
inline __m256i f16_bits(__m512 v) { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline void store_f16(uint16_t* p, Vec<float> v) { _mm256_storeu_si256((__m256i*)p, f16_bits(v.v)); }
inline void store_f16(uint16_t* p, Vec<float> v, int n) {
  _mm256_mask_storeu_epi16(p, first_lanes16(n), f16_bits(v.v));
}

/// Vec<double>::size floats, widened exactly; and narrowed to nearest even.
inline Vec<double> load_widened(const float* p) { return {_mm512_cvtps_pd(_mm256_loadu_ps(p))}; }
inline Vec<double> load_widened(const float* p, int n) {
  return {_mm512_cvtps_pd(_mm256_maskz_loadu_ps(first_lanes8(n), p))};
}
inline void store_narrowed(float* p, Vec<double> v) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(v.v)); }
inline void store_narrowed(float* p, Vec<double> v, int n) {
  _mm256_mask_storeu_ps(p, first_lanes8(n), _mm512_cvtpd_ps(v.v));
}

}  // namespace hearth::cpu::HEARTH_ISA
