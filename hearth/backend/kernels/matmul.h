// Contract of matrix products.
//
// Shapes: a [batch, m, k], b [batch, k, n], out [batch, m, n], out contiguous; a and b with any strides (0 in batch
// broadcasts). Dtypes: all equal. Accumulation: float32 for float16, bfloat16 and float32; float64; int64 for integers.
// Invariance: row, batch and thread: an element of `out` is one sum over k in a fixed order, whatever m, n, the strides
// and the number of threads.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

using MatmulFn = void(const Tensor& out, const Tensor& a, const Tensor& b);

inline constinit Slot<MatmulFn> matmul{"matmul"};

}  // namespace hearth::kernels
