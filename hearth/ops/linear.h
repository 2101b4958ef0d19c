// The linear layer's product.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// x W^T + bias: x [..., in], weight [out, in], bias [out] or undefined -> [..., out]. x and bias float32 with a weight
/// of float32, bfloat16 or float16: the product is accumulated in float32 and the result is x's dtype.
/// Raises ShapeError, DtypeError. Example: Tensor y = linear(x, weight, bias);
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace hearth
