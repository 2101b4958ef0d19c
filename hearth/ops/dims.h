// Dims: views that name several dimensions at once, and views that a tensor itself becomes.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// Dimensions `source` moved to `destination`, the others in their order. Raises ShapeError for lists of different
/// length, ValueError for a dimension named twice. Example: movedim(images, {1, 2}, {3, 1});
Tensor movedim(const Tensor& x, const std::vector<int64_t>& source, const std::vector<int64_t>& destination);

/// Without those of `dims` whose size is 1.
Tensor squeeze(const Tensor& x, const std::vector<int64_t>& dims);

/// `sections` parts that differ by one at most, the longer ones first. Raises ValueError for sections < 1.
TensorList tensor_split(const Tensor& x, int64_t sections, int64_t dim = 0);
/// Parts that begin at `indices`, as Python slices: negative ones count from the end, out-of-range ones are clamped.
TensorList tensor_split(const Tensor& x, const std::vector<int64_t>& indices, int64_t dim = 0);

/// The same memory read as `dtype`. With wider elements the last dimension shrinks, with narrower ones it grows.
/// Raises ShapeError when the layout does not allow it. Not differentiable, save to its own dtype.
Tensor view_dtype(const Tensor& x, Dtype dtype);

/// x takes over the geometry and history of `view`, a view of it. Raises ValueError for a leaf that requires grad.
/// Example: become_view_(x, squeeze(x));
const Tensor& become_view_(const Tensor& x, const Tensor& view);

}  // namespace hearth
