// Normalisation layers.
#pragma once

#include "hearth/nn/layer.h"

namespace hearth::nn {

/// Layer norm over the last dimensions, which have `shape`; `weight` starts as ones, `bias` as zeros.
class LayerNorm : public Layer {
 public:
  explicit LayerNorm(Shape shape, double eps = 1e-5, bool affine = true, bool with_bias = true);
  explicit LayerNorm(int64_t width, double eps = 1e-5, bool affine = true, bool with_bias = true)
      : LayerNorm(Shape{width}, eps, affine, with_bias) {}
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias;

 private:
  Shape shape_;
  double eps_;
};

/// Root-mean-square norm over the last dimension.
class RMSNorm : public Layer {
 public:
  /// Without eps, that of float32 (PyTorch's default).
  explicit RMSNorm(int64_t width, double eps = 0x1p-23, bool affine = true);
  Tensor forward(const Tensor& x) const override;

  Tensor weight;

 private:
  int64_t width_;
  double eps_;
};

/// Groups of channels of each sample normalised together: [N, channels, ...].
class GroupNorm : public Layer {
 public:
  GroupNorm(int64_t groups, int64_t channels, double eps = 1e-5, bool affine = true);
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias;

 private:
  int64_t groups_, channels_;
  double eps_;
};

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = true;
  bool track_running_stats = true;  ///< else the batch's own statistics are used in evaluation too
};

/// The base of BatchNorm1d and 2d. In training each channel is normalised by the batch's mean and variance, which move
/// the buffers `running_mean` and `running_var`; in evaluation by those.
class BatchNorm : public Layer {
 public:
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias, running_mean, running_var, num_batches_tracked;

 protected:
  BatchNorm(int64_t channels, const BatchNormOptions& options, int least_dims, int most_dims);

 private:
  int64_t channels_;
  BatchNormOptions options_;
  int least_dims_, most_dims_;
};

/// [N, channels] or [N, channels, L].
class BatchNorm1d : public BatchNorm {
 public:
  explicit BatchNorm1d(int64_t channels, const BatchNormOptions& options = {}) : BatchNorm(channels, options, 2, 3) {}
};

/// [N, channels, H, W].
class BatchNorm2d : public BatchNorm {
 public:
  explicit BatchNorm2d(int64_t channels, const BatchNormOptions& options = {}) : BatchNorm(channels, options, 4, 4) {}
};

}  // namespace hearth::nn
