// Masks: choosing, filling and counting elements by a bool tensor.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// Elements of x where mask is true, in row-major order, as a 1-dim tensor; x and mask are broadcast.
/// Raises DtypeError when mask is not bool, ShapeError. Example: Tensor positive = masked_select(x, mask);
Tensor masked_select(const Tensor& x, const Tensor& mask);

/// A copy of x with `value` (a number or a 0-dim tensor) where mask, broadcast to x, is true.
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value);
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Scalar& value);

/// A copy of x with the elements where mask is true replaced by those of src, in row-major order.
/// Raises ShapeError when src has too few.
Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& src);

const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, const Scalar& value);
const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, const Tensor& value);
const Tensor& masked_scatter_(const Tensor& x, const Tensor& mask, const Tensor& src);

/// Coordinates of the elements that are not zero: int64 [count, x.dim()], in row-major order.
Tensor nonzero(const Tensor& x);

}  // namespace hearth
