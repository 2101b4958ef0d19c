// Ranges: numbers at even steps, evenly on a logarithmic scale, and the coordinates of triangles; memory with strides.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// start, start + step, ... (`count` numbers), computed in float64 and converted once.
Tensor ramp(double start, double step, int64_t count, Dtype dtype);
/// `steps` numbers from start to end, both included; complex numbers on a line. For an integral dtype start and end
/// are truncated first, the numbers between them after. Raises ValueError for negative steps.
Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, Dtype dtype);
/// base to the power of each of `linspace`'s numbers. Raises ValueError for negative steps.
/// Example: logspace(0, 2, 3, 10, Dtype::float32) is 1, 10, 100.
Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, Dtype dtype);
/// Row and column numbers [2, count] of the elements on and below (lower) or above diagonal `offset`, row by row.
/// Raises ValueError for negative sizes, DtypeError unless int32 or int64.
Tensor triangle_indices(int64_t rows, int64_t columns, int64_t offset, bool lower, Dtype dtype);

/// Uninitialised memory with given strides, in elements. Raises ShapeError for negative or missing strides.
Tensor empty_strided(const Shape& shape, const Shape& strides, Dtype dtype);
/// Uninitialised memory whose dimensions lie in the order of `layout`, outermost first. Raises ShapeError when that is
/// no permutation.
Tensor empty_permuted(const Shape& shape, const Shape& layout, Dtype dtype);

}  // namespace hearth
