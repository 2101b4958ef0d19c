// Reading and writing through integer indices along one dimension. Writes that meet in one element are applied in the
// order of their position, so sums have the same bits on any number of threads.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// `index` as int64, contiguous, each entry checked against a dimension of `size`; negative entries count from the end
/// when `negative` is true. Raises DtypeError for an index that is not integral, IndexError naming the entry, the
/// dimension and the size.
Tensor checked_index(const char* op, const Tensor& index, int64_t dim, int64_t size, bool negative = false);

/// Entries `index` (0- or 1-dim, no negative ones) of a dimension. Example: Tensor rows = index_select(x, 0, ids);
Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index);
/// y[i, j] = x[index[i, j], j] for dim 0, and so on; index has x's rank and is nowhere longer save along dim.
Tensor gather(const Tensor& x, int64_t dim, const Tensor& index);
/// gather with index and x broadcast against each other and negative entries allowed.
Tensor take_along_dim(const Tensor& x, const Tensor& index, int64_t dim);
/// Elements of x in row-major order; the result has index's shape; negative entries count from the end.
Tensor take(const Tensor& x, const Tensor& index);

/// A copy of x with x[index[i, j], j] = src[i, j] for dim 0, and so on; the last writer of an element wins.
/// Raises ShapeError when index is longer than src, or than x outside dim.
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src);
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value);
Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src);

/// A copy of x with alpha * src added to the entries `index` of a dimension; src's size there is index's length.
Tensor index_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha = 1);
Tensor index_copy(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src);
Tensor index_fill(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value);
/// `value` is a 0-dim tensor.
Tensor index_fill(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& value);

const Tensor& scatter_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src);
const Tensor& scatter_(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value);
const Tensor& scatter_add_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src);
const Tensor& index_add_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha = 1);
const Tensor& index_copy_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src);
const Tensor& index_fill_(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value);

}  // namespace hearth
