// Windows of images: the pair of adjoint ops under convolution and average pooling.
#pragma once

#include "hearth/backend/kernels/conv.h"
#include "hearth/core/tensor.h"

namespace hearth {

using kernels::Extent3;

/// x [N, C, D, H, W] to [C, KD, KH, KW, N, windows...]; pixels outside count as 0. Differentiable.
Tensor image_to_windows(const Tensor& x, const kernels::WindowGrid& grid, const Extent3& windows);
/// The adjoint: back to an image of [N, C, size...], overlaps added up. Differentiable.
Tensor windows_to_image(const Tensor& windows, const kernels::WindowGrid& grid, const Extent3& size);

/// `values` (one, or one for each of `spatial` dimensions) as depth, height and width; missing leading ones get
/// `neutral`. Raises ValueError naming `what` when a value is below `least`.
Extent3 spatial_extent(const char* op, const char* what, const std::vector<int64_t>& values, int spatial,
                       int64_t neutral, int64_t least);

/// x [N, C, ...] with one to three spatial dimensions as [N, C, D, H, W], and back.
Tensor with_depth(const Tensor& x, int spatial);
Tensor without_depth(const Tensor& x, int spatial);

}  // namespace hearth
