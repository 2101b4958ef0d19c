// Windows of images: the pair of adjoint ops under convolution and average pooling.
#pragma once

#include "hearth/backend/kernels/conv.h"
#include "hearth/core/tensor.h"

namespace hearth {

/// x [N, C, H, W] to [C, KH, KW, N, windows[0], windows[1]]; pixels outside count as 0. Differentiable.
Tensor image_to_windows(const Tensor& x, const kernels::WindowGrid& grid, const std::array<int64_t, 2>& windows);
/// The adjoint: back to an image of [N, C, size[0], size[1]], overlaps added up. Differentiable.
Tensor windows_to_image(const Tensor& windows, const kernels::WindowGrid& grid, const std::array<int64_t, 2>& size);

/// `values` (one, or one for each spatial dimension) as a pair; for one spatial dimension the rows get `neutral`.
/// Raises ValueError naming `what` when a value is below `least`.
std::array<int64_t, 2> spatial_pair(const char* op, const char* what, const std::vector<int64_t>& values, int spatial,
                                    int64_t neutral, int64_t least);

}  // namespace hearth
