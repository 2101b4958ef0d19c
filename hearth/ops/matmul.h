// Matrix products.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// The product of vectors, matrices or batches of matrices, with the batch dimensions broadcast.
/// Shapes: [..., m, k] x [..., k, n] -> [..., m, n]; a 1-dim operand is a row on the left, a column on the right.
/// Raises ShapeError when inner dimensions differ, DtypeError when dtypes do.
/// Example: Tensor c = matmul(a, b);
Tensor matmul(const Tensor& a, const Tensor& b);

}  // namespace hearth
