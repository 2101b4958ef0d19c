// Softmax and log-softmax over any dimension.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// exp(x - max x) / sum(exp(x - max x)) along `dim`; same shape and dtype as x, which must be floating.
/// Raises DtypeError for other dtypes, IndexError for a wrong dim. Example: Tensor p = softmax(scores, -1);
Tensor softmax(const Tensor& x, int64_t dim);

/// (x - max x) - log(sum(exp(x - max x))) along `dim`, as exact for large |x| as for small.
/// Raises DtypeError, IndexError. Example: Tensor logp = log_softmax(logits, -1);
Tensor log_softmax(const Tensor& x, int64_t dim);

}  // namespace hearth
