// Normalisation over the last dimension: root-mean-square and layer norm.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// x / sqrt(mean(x^2) + eps) * weight over the last dimension (Zhang and Sennrich 2019).
/// Shapes: x [..., dim], weight [dim] or undefined (1). Views with a last stride of 1 are read in place, e.g. the heads
/// of a fused projection [tokens, heads, dim]. Raises ShapeError, DtypeError (all dtypes equal, floating).
/// Example: Tensor y = rms_norm(x, weight, 1e-6);
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// (x - mean) / sqrt(var + eps) * weight + bias over the last dimension (Ba et al. 2016), var the biased variance.
/// Shapes: x [..., dim], weight and bias [dim] or undefined (1 and 0). Raises ShapeError, DtypeError.
/// Example: Tensor y = layer_norm(x, weight, bias, 1e-5);
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

}  // namespace hearth
