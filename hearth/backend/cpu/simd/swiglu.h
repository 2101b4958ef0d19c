// SwiGLU rows on one instruction set: raw pointers, one contiguous row a call.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

struct SwigluRows {
  /// y = silu(gate) * up, silu(g) = g / (1 + exp(-g)).
  void (*forward)(const void* gate, const void* up, void* y, int64_t n);
  /// With s = 1 / (1 + exp(-gate)): dgate = dy * up * s * (1 + gate * (1 - s)), dup = dy * gate * s.
  void (*backward)(const void* gate, const void* up, const void* dy, void* dgate, void* dup, int64_t n);
};

// In the order of Dtype: float16, bfloat16, float32, float64.
namespace generic {
extern const SwigluRows swiglu_rows[4];
}
namespace avx2 {
extern const SwigluRows swiglu_rows[4];
}
namespace avx512 {
extern const SwigluRows swiglu_rows[4];
}

}  // namespace hearth::cpu
