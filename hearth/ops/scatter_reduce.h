// Scatter with a choice of how values that meet are merged.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

enum class ScatterReduce { sum, prod, mean, amax, amin };

/// A copy of x with src merged into x[index[i, j], j] for dim 0, and so on; x's own elements take part unless
/// include_self is false, elements that nothing is written to stay. Integer means round down. Among equal extremes the
/// gradient is shared evenly. Raises as scatter does. Formula of the product's gradient: PyTorch (exact with one zero).
/// Example: Tensor m = scatter_reduce(x, 0, index, src, ScatterReduce::amax);
Tensor scatter_reduce(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src, ScatterReduce reduce,
                      bool include_self = true);

}  // namespace hearth
