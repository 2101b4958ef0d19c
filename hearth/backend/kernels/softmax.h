// Contract of softmax and log-softmax over the last dimension, and of the statistics that log-probabilities come from.
//
// Shapes: all tensors [rows, n], contiguous. Dtypes: float32, float64, bfloat16, float16, all equal; arithmetic in
// float32 (float64 for float64), rounded once. Overlap: y may be x, dx may be dy.
// Invariance: row, batch and thread: a row's bits depend on that row only. An element of log_softmax is
// (x - max) - log(sum), the very value that linear_cross_entropy gives for the same row of logits.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// y = softmax(x), or log_softmax(x) when `log`.
using SoftmaxFn = void(const Tensor& y, const Tensor& x, bool log);
/// dx from y and dy: y * (dy - sum(dy * y)), or dy - exp(y) * sum(dy) when `log`.
using SoftmaxBackwardFn = void(const Tensor& dx, const Tensor& y, const Tensor& dy, bool log);

inline constinit Slot<SoftmaxFn> softmax{"softmax"};
inline constinit Slot<SoftmaxBackwardFn> softmax_backward{"softmax_backward"};

}  // namespace hearth::kernels
