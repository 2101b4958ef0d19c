// Contract of the kernels under convolution: windows of an image as columns, and back.
//
// Dtypes: all but bool; images and columns share one. Accumulation of `windows_to_image`: float32 for float16, bfloat16
// and float32, float64 for float64, int64 for integers, in rising order of (depth, row, column) inside the window.
// Invariance: an element depends on its window or windows only, not on other planes or the number of threads.
#pragma once

#include <array>

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// Depth, height and width; one- and two-dimensional data have a depth (and height) of 1.
using Extent3 = std::array<int64_t, 3>;

/// Where windows lie: element (h, i, j) of window (a, b, c) is pixel (a stride - before + h dilation, ...).
struct WindowGrid {
  Extent3 kernel{1, 1, 1}, stride{1, 1, 1}, before{0, 0, 0}, dilation{1, 1, 1};
};

/// out[c, h, i, j, n, ...] = the pixel of x[n, c], 0 outside. out [C, KD, KH, KW, N, OD, OH, OW] contiguous;
/// x [N, C, D, H, W] any strides.
using ImageToWindowsFn = void(const Tensor& out, const Tensor& x, const WindowGrid& grid);

/// The adjoint: out[n, c] = the sum of all window elements that lie on each pixel. out [N, C, D, H, W] contiguous;
/// windows [C, KD, KH, KW, N, OD, OH, OW] any strides.
using WindowsToImageFn = void(const Tensor& out, const Tensor& windows, const WindowGrid& grid);

inline constinit Slot<ImageToWindowsFn> image_to_windows{"image_to_windows"};
inline constinit Slot<WindowsToImageFn> windows_to_image{"windows_to_image"};

}  // namespace hearth::kernels
