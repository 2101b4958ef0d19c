// Contract of log-probabilities of target tokens under a softmax over rows of logits.
//
// Shapes: logits [rows, vocab], contiguous; targets [rows] int64, contiguous, each in [0, vocab) or -100 (ignored);
// log_probs and coefficients [rows], contiguous. Dtypes: logits float32, float64, bfloat16 or float16; log_probs and
// coefficients float32 (float64 for float64 logits).
// Invariance: row, batch and thread; a log-probability has the bits of log_softmax on the same float32 row.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// Targets that stand for "no target".
inline constexpr int64_t ignored_target = -100;

/// log_probs[t] = (logits[t, target] - max) - log(sum of exp(logits[t] - max)), 0 for an ignored target. When
/// `coefficients` is defined, row t of logits becomes coefficients[t] * d log_probs[t] / d logits[t], that is
/// coefficients[t] * (onehot(target) - softmax(logits[t])), zeros for an ignored target.
using TokenLogProbsFn = void(const Tensor& log_probs, const Tensor& logits, const Tensor& targets,
                             const Tensor& coefficients);

inline constinit Slot<TokenLogProbsFn> token_log_probs{"token_log_probs"};

}  // namespace hearth::kernels
