// Views: the same memory with another geometry. Writes through a view reach its base, in autograd too.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// Geometry given outright, in elements. Raises ValueError when it leaves the storage.
Tensor as_strided(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset);

/// Broadcasts without copying; -1 keeps a size. Raises ShapeError.
Tensor expand(const Tensor& x, const Shape& shape);
/// The reverse of expand: sums x down to `shape`.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// A view when the memory allows it, else raises ShapeError. One size may be -1.
Tensor view(const Tensor& x, const Shape& shape);
/// A view when the memory allows it, else a copy. One size may be -1.
Tensor reshape(const Tensor& x, const Shape& shape);
Tensor flatten(const Tensor& x, int64_t start_dim = 0, int64_t end_dim = -1);
Tensor unflatten(const Tensor& x, int64_t dim, const Shape& sizes);

Tensor permute(const Tensor& x, const Shape& dims);
Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1);
/// The transpose of a matrix; a 0- or 1-dim tensor as it is.
Tensor t(const Tensor& x);
Tensor movedim(const Tensor& x, int64_t source, int64_t destination);
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, int64_t dim);
Tensor unsqueeze(const Tensor& x, int64_t dim);

/// Elements [start, start + length) of a dimension.
Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length);
/// Python's x[start:end:step] on a dimension; out-of-range bounds are clamped, step must be positive.
Tensor slice(const Tensor& x, int64_t dim, int64_t start, int64_t end, int64_t step = 1);
/// x[index] on a dimension, which vanishes.
Tensor select(const Tensor& x, int64_t dim, int64_t index);
/// The diagonal of two dimensions, appended as the last one.
Tensor diagonal(const Tensor& x, int64_t offset = 0, int64_t dim1 = 0, int64_t dim2 = 1);
/// Windows of `size` every `step` along a dimension, appended as the last one.
Tensor unfold(const Tensor& x, int64_t dim, int64_t size, int64_t step);

std::vector<Tensor> split(const Tensor& x, int64_t split_size, int64_t dim = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int64_t dim = 0);
std::vector<Tensor> chunk(const Tensor& x, int64_t chunks, int64_t dim = 0);
std::vector<Tensor> unbind(const Tensor& x, int64_t dim = 0);

/// The same memory read as another dtype of the same size; not differentiable.
Tensor view_as_dtype(const Tensor& x, Dtype dtype);

}  // namespace hearth
