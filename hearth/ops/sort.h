// Order: sorting, largest elements, distinct elements, searching and counting. NaN counts as larger than every number.
#pragma once

#include <optional>

#include "hearth/core/tensor.h"

namespace hearth {

/// Elements and where they stood along a dimension.
struct Ordered {
  Tensor values;
  Tensor indices;  ///< int64
};

/// Elements in rising (falling) order along `dim`; equal ones keep their order, whatever `stable` says. Differentiable.
/// Example: auto [values, indices] = sort(x, -1, true);
Ordered sort(const Tensor& x, int64_t dim = -1, bool descending = false, bool stable = false);
Tensor argsort(const Tensor& x, int64_t dim = -1, bool descending = false, bool stable = false);
/// The values of sort along dimension 0.
Tensor msort(const Tensor& x);

/// The k largest (smallest) elements along `dim`, in order (whatever `sorted` says); of equal ones the first.
/// Raises ValueError when k is negative or larger than the dimension.
Ordered topk(const Tensor& x, int64_t k, int64_t dim = -1, bool largest = true, bool sorted = true);
/// The k-th smallest element (k from 1) along `dim`, which vanishes unless keepdim.
Ordered kthvalue(const Tensor& x, int64_t k, int64_t dim = -1, bool keepdim = false);

/// The order [n] in which the rows of x [n, m] stand when they are compared element by element from the left; equal
/// rows keep their order. Example: Tensor sorted = index_select(x, 0, sort_rows(x));
Tensor sort_rows(const Tensor& x);

struct Unique {
  Tensor values;   ///< distinct elements, ascending
  Tensor inverse;  ///< int64: where each element of x went
  Tensor counts;   ///< int64: how often each occurs
};
/// Distinct elements of the whole tensor, ascending. Every NaN is distinct.
Unique unique(const Tensor& x);

/// Positions at which `values` would be inserted into the ascending last dimension of `boundaries` to keep it
/// ascending; right puts them behind equal ones. boundaries is 1-dim or shares values' leading dimensions.
Tensor searchsorted(const Tensor& boundaries, const Tensor& values, bool right = false);

/// How often each number from 0 to max(x) occurs (at least `minlength` entries), or the sum of `weights` where it does,
/// in x's order. x: integral, 1-dim, no negative ones. Result int64, or float64 (float32 for float32 weights).
Tensor bincount(const Tensor& x, const Tensor& weights = {}, int64_t minlength = 0);

/// Counts in `bins` equal parts of [low, high] (of x's range when both are 0), as x's dtype. Not differentiable.
Tensor histc(const Tensor& x, int64_t bins = 100, double low = 0, double high = 0);

}  // namespace hearth
