// Reductions: sums, extremes and statistics over some or all dimensions.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Dimensions to reduce, counted from the end when negative; none named means all. Naming one twice is a ValueError.
using Dims = std::vector<int64_t>;

/// Sum over `dims`. Integers and bool add up in int64. Example: Tensor s = sum(x, {0}, true);
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Raises DtypeError for integers.
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// The sum and mean of what is not NaN.
Tensor nansum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor nanmean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Product; integers and bool multiply in int64.
Tensor prod(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

/// The extreme; equal ones share the gradient. NaN wins. Raises IndexError where there is nothing to choose from.
Tensor amax(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
inline Tensor max(const Tensor& x) { return amax(x); }
inline Tensor min(const Tensor& x) { return amin(x); }

struct ValueIndex {
  Tensor values, indices;
};
/// The extreme along a dimension and the index of its first occurrence, which gets the gradient.
/// Example: auto [values, indices] = max(x, 1);
ValueIndex max(const Tensor& x, int64_t dim, bool keepdim = false);
ValueIndex min(const Tensor& x, int64_t dim, bool keepdim = false);
/// The smallest and the largest.
std::pair<Tensor, Tensor> aminmax(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// The index of the first extreme along a dimension, or in the flattened tensor; int64.
Tensor argmax(const Tensor& x, std::optional<int64_t> dim = {}, bool keepdim = false);
Tensor argmin(const Tensor& x, std::optional<int64_t> dim = {}, bool keepdim = false);
/// The lower median; NaN if there is one.
Tensor median(const Tensor& x);
ValueIndex median(const Tensor& x, int64_t dim, bool keepdim = false);

/// Whether some, or every, element is not 0; bool (uint8 for uint8).
Tensor any(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor all(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// How many elements are not 0; int64.
Tensor count_nonzero(const Tensor& x, const Dims& dims = {});

/// Variance with n - correction in the denominator (1: unbiased); NaN where that is not positive.
Tensor var(const Tensor& x, const Dims& dims = {}, double correction = 1, bool keepdim = false);
Tensor std(const Tensor& x, const Dims& dims = {}, double correction = 1, bool keepdim = false);
std::pair<Tensor, Tensor> var_mean(const Tensor& x, const Dims& dims = {}, double correction = 1, bool keepdim = false);
/// log(sum(exp(x))) without overflow.
Tensor logsumexp(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// (sum |x|^p)^(1/p); p = 0 counts what is not 0, infinity and -infinity take the largest and smallest |x|. The
/// gradient is 0 where the norm is 0.
Tensor norm(const Tensor& x, double p = 2, const Dims& dims = {}, bool keepdim = false);

}  // namespace hearth
