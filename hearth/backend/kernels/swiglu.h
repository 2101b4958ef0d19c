// Contract of SwiGLU: silu(gate) * up.
//
// Shapes: all tensors [rows, n], last stride 1, other stride free (the halves of one fused product are read and written
// in place). Dtypes: float32, float64, bfloat16, float16, all equal; arithmetic in float32 (float64 for float64).
// Invariance: an element's bits depend on its operands only.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// y = gate / (1 + exp(-gate)) * up.
using SwigluFn = void(const Tensor& y, const Tensor& gate, const Tensor& up);
/// With s = 1 / (1 + exp(-gate)): dgate = dy * up * s * (1 + gate * (1 - s)), dup = dy * gate * s.
using SwigluBackwardFn = void(const Tensor& dgate, const Tensor& dup, const Tensor& dy, const Tensor& gate,
                              const Tensor& up);

inline constinit Slot<SwigluFn> swiglu{"swiglu"};
inline constinit Slot<SwigluBackwardFn> swiglu_backward{"swiglu_backward"};

}  // namespace hearth::kernels
