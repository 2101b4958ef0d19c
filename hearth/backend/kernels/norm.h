// Contract of layer and root-mean-square normalisation over the last dimension.
//
// Shapes: x [outer, inner, dim], last stride 1, other strides free; y, dx, dy [outer, inner, dim] contiguous; weight
// and bias [dim] contiguous, or undefined (1 and 0); mean and rstd [outer * inner] contiguous. Rows are outer * inner.
// Dtypes: x, y, weight, bias, dy, dx, dweight, dbias equal: float32, float64, bfloat16 or float16; mean and rstd
// float32 (float64 for float64), which is also the type of all sums. Invariance: y, mean, rstd and dx: row, batch and
// thread. dweight and dbias: thread; they are sums over rows in parts whose cut depends on the shape only, parts added
// in order.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(mean((x - mean)^2) + eps); mean is 0 unless `centered`.
using NormFn = void(const Tensor& y, const Tensor& mean, const Tensor& rstd, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, double eps, bool centered);
/// Gradients of x, weight and bias; an undefined result is not computed.
using NormBackwardFn = void(const Tensor& dx, const Tensor& dweight, const Tensor& dbias, const Tensor& dy,
                            const Tensor& x, const Tensor& weight, const Tensor& mean, const Tensor& rstd,
                            bool centered);

inline constinit Slot<NormFn> norm{"norm"};
inline constinit Slot<NormBackwardFn> norm_backward{"norm_backward"};

}  // namespace hearth::kernels
