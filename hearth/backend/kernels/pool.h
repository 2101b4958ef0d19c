// Contract of the kernels under pooling and resizing: maxima of windows, and weighted sums along one dimension.
//
// Invariance: an element depends on its window only, not on other planes or the number of threads.
#pragma once

#include <array>

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// values and at [P, OD, OH, OW] = the greatest pixel of x [P, D, H, W] in window (a, b, c) and its position
/// ((depth * H + row) * W + column), int64. A window reaches from spans[i][0, a] to below spans[i][1, a] in steps of
/// step[i], and holds a pixel. Of equal ones the first; the last NaN wins. All contiguous; spans int64 [2, OD],
/// [2, OH], [2, OW]. Any dtype.
using MaxWindowFn = void(const Tensor& values, const Tensor& at, const Tensor& x, const std::array<Tensor, 3>& spans,
                         const std::array<int64_t, 3>& step);

/// out[o, i, j] = the sum of weight[t] * x[o, index[t], j] over the taps t from first[i] to below first[i + 1], in
/// rising order and in x's type. out [outer, n, inner], x [outer, size, inner]: float32 or float64; first int64
/// [n + 1]; index int64 and weight float64 [taps]; all contiguous.
using ResampleFn = void(const Tensor& out, const Tensor& x, const Tensor& first, const Tensor& index,
                        const Tensor& weight);

inline constinit Slot<MaxWindowFn> max_window{"max_window"};
inline constinit Slot<ResampleFn> resample{"resample"};

}  // namespace hearth::kernels
