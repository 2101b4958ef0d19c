// Contract of sorting and searching kernels.
//
// Shapes: x [rows, n] with any strides; results contiguous, int64. NaN counts as larger than every number; equal
// elements (and NaNs) keep their order. Dtypes: any.
// Invariance: a row's result depends on the row only.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// out [rows, n]: positions in x's row of its elements from least to greatest (from greatest when descending).
using SortFn = void(const Tensor& out, const Tensor& x, bool descending);

/// out [rows, k]: positions of the k first elements of that order, 1 <= k <= n, in order.
using TopkFn = void(const Tensor& out, const Tensor& x, bool descending);

/// out [rows]: positions of x's rows [rows, n] from least to greatest, compared element by element from the left.
using SortRowsFn = void(const Tensor& out, const Tensor& x);

/// out [rows, m] = how many elements of boundaries' row are less than (right: not greater than) values' element.
/// boundaries [rows or 1, n], sorted ascending, and values [rows, m] share a dtype; both contiguous.
using SearchsortedFn = void(const Tensor& out, const Tensor& boundaries, const Tensor& values, bool right);

/// out [bins] float64, zero before: counts of x [1, n] floating in `bins` equal parts of [low, high], both ends
/// included; what lies outside and NaN are not counted.
using HistcFn = void(const Tensor& out, const Tensor& x, double low, double high);

inline constinit Slot<SortFn> sort{"sort"};
inline constinit Slot<TopkFn> topk{"topk"};
inline constinit Slot<SortRowsFn> sort_rows{"sort_rows"};
inline constinit Slot<SearchsortedFn> searchsorted{"searchsorted"};
inline constinit Slot<HistcFn> histc{"histc"};

}  // namespace hearth::kernels
