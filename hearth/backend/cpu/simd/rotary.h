// Rotary embedding of heads on one instruction set: raw pointers, one head a call.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

struct RotaryRows {
  /// One head: for i < half: y[i] = x[i] cos[i] - x[i + half] sin[i], y[i + half] = x[i + half] cos[i] + x[i] sin[i];
  /// elements from 2 * half to dim are copied. cos and sin are float32 (float64 for float64). With `inverse` the sign
  /// of sin flips. y may not overlap x unless it is x.
  void (*rotate)(const void* x, void* y, const void* cos, const void* sin, int64_t half, int64_t dim, bool inverse);
};

// In the order of Dtype: float16, bfloat16, float32, float64.
namespace generic {
extern const RotaryRows rotary_rows[4];
}
namespace avx2 {
extern const RotaryRows rotary_rows[4];
}
namespace avx512 {
extern const RotaryRows rotary_rows[4];
}

}  // namespace hearth::cpu
