// SwiGLU (Shazeer 2020): the gated activation of a feed-forward layer.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// silu(gate) * up, silu(g) = g / (1 + exp(-g)). Shapes: gate and up [..., n], equal; floating dtypes, equal.
/// Raises ShapeError, DtypeError. Example: Tensor y = swiglu(matmul(x, gate), matmul(x, up));
Tensor swiglu(const Tensor& gate, const Tensor& up);

/// The same for one fused product: x [..., 2 n] holds gate, then up; result [..., n]. Its gradient is written in one
/// piece. Raises ShapeError when the last dimension is odd. Example: Tensor y = swiglu_packed(matmul(x, gate_up));
Tensor swiglu_packed(const Tensor& x);

}  // namespace hearth
