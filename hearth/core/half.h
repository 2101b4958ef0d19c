// float16 and bfloat16: storage types that convert to and from float with round-to-nearest-even.
#pragma once

#include <cstdint>
#include <cstring>

namespace hearth {

inline uint32_t float_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float bits_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The upper half of a float32. Source: Google's bfloat16; NaN stays a quiet NaN.
struct bfloat16 {
  uint16_t bits = 0;
  bfloat16() = default;
  explicit bfloat16(float value) {
    const uint32_t b = float_bits(value);
    if ((b & 0x7fffffffu) > 0x7f800000u) {
      bits = uint16_t((b >> 16) | 0x0040u);
    } else {
      bits = uint16_t((b + 0x7fffu + ((b >> 16) & 1u)) >> 16);
    }
  }
  operator float() const { return bits_float(uint32_t(bits) << 16); }
};

/// IEEE 754 binary16.
struct float16 {
  uint16_t bits = 0;
  float16() = default;
  explicit float16(float value) {
    const uint32_t b = float_bits(value);
    const uint32_t sign = (b >> 16) & 0x8000u;
    const uint32_t magnitude = b & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
      bits = uint16_t(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
    } else if (magnitude >= 0x477ff000u) {  // rounds to 65536 or more
      bits = uint16_t(sign | 0x7c00u);
    } else if (magnitude < 0x38800000u) {  // subnormal: let the float adder round it
      const float shifted = bits_float(magnitude) + bits_float(0x3f000000u);
      bits = uint16_t(sign | (float_bits(shifted) - 0x3f000000u));
    } else {
      const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
      bits = uint16_t(sign | ((rounded - 0x38000000u) >> 13));
    }
  }
  operator float() const {
    const uint32_t sign = uint32_t(bits & 0x8000u) << 16;
    const uint32_t exponent = (bits >> 10) & 0x1fu;
    const uint32_t mantissa = bits & 0x3ffu;
    if (exponent == 31)  // a NaN becomes quiet, as the processor's own conversion makes it
      return bits_float(sign | 0x7f800000u | (mantissa ? 0x00400000u : 0u) | (mantissa << 13));
    if (exponent != 0) return bits_float(sign | ((exponent + 112) << 23) | (mantissa << 13));
    const float magnitude = float(mantissa) * bits_float(0x33800000u);  // mantissa * 2^-24
    return bits_float(sign | float_bits(magnitude));
  }
};

}  // namespace hearth
