// Normalisation over batches, groups of channels and instances.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// (x - m) / sqrt(v + eps) * weight + bias per channel (Ioffe and Szegedy 2015). x [N, C, ...]; the others [C] or
/// undefined. With `training`, m and the biased variance v are x's own, and running mean and variance (unbiased), if
/// given, move towards them in place by `momentum`; else m and v are the running ones, which must be given.
/// Half types are computed in float32. Raises ShapeError, DtypeError, ValueError for one value per channel.
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight = {},
                  const Tensor& bias = {}, bool training = false, double momentum = 0.1, double eps = 1e-5);

/// Normalises each of `groups` groups of channels of each sample (Wu and He 2018), then scales and shifts per channel.
/// x [N, C, ...], weight and bias [C] or undefined. Raises ValueError when groups does not divide C.
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

/// group_norm with one channel per group; running statistics, if given, move towards the samples' mean ones, and are
/// used instead of them without use_input_stats.
Tensor instance_norm(const Tensor& x, const Tensor& running_mean = {}, const Tensor& running_var = {},
                     const Tensor& weight = {}, const Tensor& bias = {}, bool use_input_stats = true,
                     double momentum = 0.1, double eps = 1e-5);

}  // namespace hearth
