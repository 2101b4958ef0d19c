// Contract of the kernels under convolution and pooling: windows of an image as columns, back, and their maxima.
//
// Dtypes: floating; images and columns share one. Accumulation of `windows_to_image`: float32 for float16, bfloat16 and
// float32, float64 for float64, in rising order of (row, column) inside the window.
// Invariance: an element depends on its window or windows only, not on other planes or the number of threads.
#pragma once

#include <array>

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// Where windows lie: element (i, j) of window (a, b) is pixel (a stride - before + i dilation, ...).
struct WindowGrid {
  std::array<int64_t, 2> kernel{1, 1}, stride{1, 1}, before{0, 0}, dilation{1, 1};
};

/// out[c, i, j, n, a, b] = the pixel of x[n, c], 0 outside. out [C, KH, KW, N, OH, OW] contiguous; x [N, C, H, W] any
/// strides.
using ImageToWindowsFn = void(const Tensor& out, const Tensor& x, const WindowGrid& grid);

/// The adjoint: out[n, c] = the sum of all window elements that lie on each pixel. out [N, C, H, W] contiguous;
/// windows [C, KH, KW, N, OH, OW] any strides.
using WindowsToImageFn = void(const Tensor& out, const Tensor& windows, const WindowGrid& grid);

/// out [P, OH, OW] = position (row * W + column) of the greatest pixel of x [P, H, W] (any strides) in window (a, b):
/// rows from rows[0, a] to below rows[1, a] in steps of step[0], columns alike; every window holds a pixel. Of equal
/// ones the first; the last NaN wins. rows [2, OH], columns [2, OW]: int64, contiguous.
using MaxWindowFn = void(const Tensor& out, const Tensor& x, const Tensor& rows, const Tensor& columns,
                         const std::array<int64_t, 2>& step);

inline constinit Slot<ImageToWindowsFn> image_to_windows{"image_to_windows"};
inline constinit Slot<WindowsToImageFn> windows_to_image{"windows_to_image"};
inline constinit Slot<MaxWindowFn> max_window{"max_window"};

}  // namespace hearth::kernels
