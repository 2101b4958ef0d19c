// Contract of reductions.
//
// Shapes: x [kept..., reduced...] with any strides, where the kept dimensions are as many as out's; out [kept...],
// contiguous. The caller permutes.
// Accumulation: floats in fixed-tree order, float16, bfloat16 and float32 in float32 within a block of elements and in
// float64 across blocks, float64 in float64; integers and bool in int64, wrapping.
// Invariance: a row's result depends on the row's values in row-major order only, not on layout, position or threads.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

enum class ReduceOp : uint8_t { sum, prod, max, min, any, all };
enum class ReduceIndexOp : uint8_t { argmax, argmin };
enum class CumulateOp : uint8_t { sum, prod, max, min, logsumexp };

/// out has x's dtype, or float32 where x has 16-bit floats; for sum and prod of integers and bool int64; for any and
/// all bool. NaN wins in max and min. Without elements: 0 (sum, any), 1 (prod, all); max and min need one, which the
/// caller checks.
using ReduceFn = void(ReduceOp op, const Tensor& out, const Tensor& x);
/// The extreme value (x's dtype) and its index (int64) in the row-major reduced part: the first one that is NaN or, if
/// none is, the first extreme. Either of values and indices may be undefined. Needs an element, which the caller
/// checks.
using ReduceIndexFn = void(ReduceIndexOp op, const Tensor& values, const Tensor& indices, const Tensor& x);
/// The element of rank k (0 is the smallest; NaN sorts last) of the reduced part and where it lies.
using SelectRankFn = void(const Tensor& values, const Tensor& indices, const Tensor& x, int64_t k);
/// Running results along the last dimension; out is contiguous and has x's shape and dtype. `indices` (int64) is
/// defined for max and min: the place of the latest extreme. Floats accumulate in float64, integers in int64.
using CumulateFn = void(CumulateOp op, const Tensor& out, const Tensor& indices, const Tensor& x);

inline constinit Slot<ReduceFn> reduce{"reduce"};
inline constinit Slot<ReduceIndexFn> reduce_index{"reduce_index"};
inline constinit Slot<SelectRankFn> select_rank{"select_rank"};
inline constinit Slot<CumulateFn> cumulate{"cumulate"};

}  // namespace hearth::kernels
