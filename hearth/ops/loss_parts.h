// What the losses are put together from.
#pragma once

#include "hearth/ops/loss.h"

namespace hearth::loss_parts {

/// One loss per element to what the reduction asks for. Raises ValueError for batchmean.
Tensor reduced(const char* op, const Tensor& loss, Reduction reduction);

/// x == value and x != value, as masks.
Tensor is(const Tensor& x, const Scalar& value);
Tensor is_not(const Tensor& x, const Scalar& value);

/// |x| with gradient 0 at 0.
Tensor magnitude(const Tensor& x);
/// log(1 + exp(x)), exact for large |x|.
Tensor softplus(const Tensor& x);
/// sum(|x|^p)^(1/p) over the last dimension, with gradient 0 at 0.
Tensor length(const Tensor& x, double p);

/// Raises DtypeError unless both are floating.
void check_floating(const char* op, const Tensor& x, const Tensor& y);

}  // namespace hearth::loss_parts
