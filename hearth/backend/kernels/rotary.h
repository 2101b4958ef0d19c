// Contract of the rotary position embedding in its half-split form.
//
// Shapes: x [tokens, heads, dim], last stride 1, other strides free; y the same shape, contiguous; positions [tokens]
// int64, contiguous, each in [0, cos.size(0)); cos and sin [positions, half], contiguous, 2 * half <= dim.
// Dtypes: x and y float32, float64, bfloat16 or float16; cos and sin float32 (float64 for float64), in which the
// arithmetic is done.
// Invariance: row, batch and thread: a head's bits depend on that head and its position only.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// For i < half, with c and s of the token's position: y[i] = x[i] c[i] - x[i + half] s[i],
/// y[i + half] = x[i + half] c[i] + x[i] s[i]; the rest of a head is copied. `inverse` turns the other way.
using RotaryFn = void(const Tensor& y, const Tensor& x, const Tensor& positions, const Tensor& cos, const Tensor& sin,
                      bool inverse);

inline constinit Slot<RotaryFn> rotary{"rotary"};

}  // namespace hearth::kernels
