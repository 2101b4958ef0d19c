// Convolution layers.
#pragma once

#include "hearth/nn/layer.h"
#include "hearth/ops/conv.h"

namespace hearth::nn {

struct ConvOptions {
  Extents stride{1};
  ConvPadding padding{0};  ///< zeros around, or "same" or "valid"
  Extents dilation{1};
  int64_t groups = 1;
  bool bias = true;
};

/// [N, in, L] -> [N, out, L']. `weight` [out, in / groups, kernel] and `bias` [out] start uniform within 1 / sqrt(fan
/// in). Raises ValueError unless groups divides both. Example: nn::Conv1d conv(3, 8, 5, {.stride = {2}});
class Conv1d : public Layer {
 public:
  Conv1d(int64_t in, int64_t out, const Extents& kernel, const ConvOptions& options = {});
  Conv1d(int64_t in, int64_t out, int64_t kernel, const ConvOptions& options = {})
      : Conv1d(in, out, Extents{kernel}, options) {}
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias;

 private:
  ConvOptions options_;
};

/// [N, in, H, W] -> [N, out, H', W']. Example: nn::Conv2d conv(1, 16, 3, {.padding = 1});
class Conv2d : public Layer {
 public:
  Conv2d(int64_t in, int64_t out, const Extents& kernel, const ConvOptions& options = {});
  Conv2d(int64_t in, int64_t out, int64_t kernel, const ConvOptions& options = {})
      : Conv2d(in, out, Extents{kernel}, options) {}
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias;

 private:
  ConvOptions options_;
};

struct ConvTransposeOptions {
  Extents stride{1};
  Extents padding{0};
  Extents output_padding{0};
  int64_t groups = 1;
  bool bias = true;
  Extents dilation{1};
};

/// The adjoint of Conv1d: [N, in, L] -> [N, out, L']; `weight` [in, out / groups, kernel].
class ConvTranspose1d : public Layer {
 public:
  ConvTranspose1d(int64_t in, int64_t out, const Extents& kernel, const ConvTransposeOptions& options = {});
  ConvTranspose1d(int64_t in, int64_t out, int64_t kernel, const ConvTransposeOptions& options = {})
      : ConvTranspose1d(in, out, Extents{kernel}, options) {}
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias;

 private:
  ConvTransposeOptions options_;
};

class ConvTranspose2d : public Layer {
 public:
  ConvTranspose2d(int64_t in, int64_t out, const Extents& kernel, const ConvTransposeOptions& options = {});
  ConvTranspose2d(int64_t in, int64_t out, int64_t kernel, const ConvTransposeOptions& options = {})
      : ConvTranspose2d(in, out, Extents{kernel}, options) {}
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias;

 private:
  ConvTransposeOptions options_;
};

}  // namespace hearth::nn
