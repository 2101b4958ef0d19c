// Contract of reductions over the last dimension.
//
// Shapes: x [rows, n] with any strides; out [rows], contiguous. The caller permutes and reshapes.
// Accumulation: float32 for float16, bfloat16 and float32 in fixed-tree order; float64 for float64; int64 for integers.
// Invariance: a row's result depends on the row only; the tree depends on n only.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

enum class ReduceOp : uint8_t { sum, prod, max, min, argmax, argmin, any, all };

/// out has x's dtype (sum, prod, max, min), int64 (argmax, argmin) or bool (any, all). NaN wins in max and min.
/// max, min, argmax and argmin need n >= 1, which the caller checks.
using ReduceFn = void(ReduceOp op, const Tensor& out, const Tensor& x);

inline constinit Slot<ReduceFn> reduce{"reduce"};

}  // namespace hearth::kernels
