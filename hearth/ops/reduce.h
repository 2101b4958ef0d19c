// Reductions: sums, extremes and statistics over some or all dimensions.
#pragma once

#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

using Dims = std::vector<int64_t>;

/// Sum over `dims` (all when empty). Integers and bool add up in int64. Example: Tensor s = sum(x, {0}, true);
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

}  // namespace hearth
