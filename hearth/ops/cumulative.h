// Running sums, products and extremes along a dimension.
#pragma once

#include "hearth/ops/reduce.h"

namespace hearth {

/// y[i] = x[0] + ... + x[i]; integers and bool in int64. Example: Tensor y = cumsum(x, -1);
Tensor cumsum(const Tensor& x, int64_t dim);
/// y[i] = x[0] * ... * x[i]; integers and bool in int64.
Tensor cumprod(const Tensor& x, int64_t dim);
/// The extreme so far and the index of its latest occurrence. NaN wins.
ValueIndex cummax(const Tensor& x, int64_t dim);
ValueIndex cummin(const Tensor& x, int64_t dim);
/// y[i] = log(exp(x[0]) + ... + exp(x[i])). Raises DtypeError for integers.
Tensor logcumsumexp(const Tensor& x, int64_t dim);

}  // namespace hearth
