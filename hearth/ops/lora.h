// The product of a frozen linear layer with a low-rank path beside it (Hu et al. 2021), in one node.
#pragma once

#include "hearth/ops/linear.h"

namespace hearth {

/// x W^T + bias + scale * (x A^T) B^T. Shapes: x [n, in] float32, W [out, in] packed, bias [out] or undefined, a [rank,
/// in], b [out, rank] float32 -> [n, out]. Differentiable in x, bias, a and b; only x and scale * x A^T are kept, and
/// no temporary has the size of the result. Raises ShapeError, DtypeError. Example: Tensor y = lora_linear(x, packed,
/// {}, a, b, 2.0);
Tensor lora_linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias, const Tensor& a, const Tensor& b,
                   double scale);

}  // namespace hearth
