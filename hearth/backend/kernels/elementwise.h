// Contract of element-wise kernels: unary, binary, comparison, where, copy (with cast) and fill.
//
// Shapes: every operand has the shape of `out`; broadcasting is done by the caller with zero strides. Any strides.
// Dtypes: unary and binary operands have the dtype of `out`; comparison writes bool; `copy` converts any to any.
// float16 and bfloat16 are computed in float32 and rounded once. Integer arithmetic wraps.
// Invariance: an element's result depends on its operands only, not on its position, layout or the thread count.
// `out` may be an operand itself (same geometry); any other overlap is refused by the caller.
#pragma once

#include "hearth/backend/kernels/elementwise_op.h"
#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// out = op(x). Transcendental ops take floating and complex types (those that complex numbers have); logical_not,
/// isnan, isinf and isfinite write bool.
using UnaryFn = void(UnaryOp op, const Tensor& out, const Tensor& x);
using ParametricFn = void(ParametricOp op, const Tensor& out, const Tensor& x, double a, double b, double c);
/// Integer division by zero raises ValueError.
using BinaryFn = void(BinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y);
/// out: bool; x and y share a dtype. Complex numbers have eq and ne only.
using CompareFn = void(CompareOp op, const Tensor& out, const Tensor& x, const Tensor& y);
/// out = condition ? x : y; condition is bool.
using WhereFn = void(const Tensor& out, const Tensor& condition, const Tensor& x, const Tensor& y);
/// out = x converted to out's dtype. Float to integer truncates, what does not fit gives the smallest int32 or the low
/// bits of the smallest int64; anything to bool is x != 0; complex to real drops the imaginary part.
using CopyFn = void(const Tensor& out, const Tensor& x);
using FillFn = void(const Tensor& out, const Scalar& value);

inline constinit Slot<UnaryFn> unary{"unary"};
inline constinit Slot<ParametricFn> parametric{"parametric"};
inline constinit Slot<BinaryFn> binary{"binary"};
inline constinit Slot<CompareFn> compare{"compare"};
inline constinit Slot<WhereFn> where{"where"};
inline constinit Slot<CopyFn> copy{"copy"};
inline constinit Slot<FillFn> fill{"fill"};

}  // namespace hearth::kernels
