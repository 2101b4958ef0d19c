// A layer of a transformer encoder.
#pragma once

#include "hearth/nn/activation.h"
#include "hearth/nn/attention.h"
#include "hearth/nn/norm.h"

namespace hearth::nn {

struct EncoderOptions {
  int64_t inner = 2048;
  double dropout = 0.1;
  bool gelu = false;  ///< else relu
  double eps = 1e-5;
  bool batch_first = false;
  bool norm_first = false;  ///< norms before attention and network instead of after the sums
  bool bias = true;
};

/// Self-attention and a network of two layers, each with a residual sum, dropout and layer norm (Vaswani et al. 2017),
/// on [L, N, width], with batch_first [N, L, width]. Parameters are named as in PyTorch.
/// Example: nn::TransformerEncoderLayer layer(64, 4, {.inner = 256, .batch_first = true}); Tensor y = layer(x);
class TransformerEncoderLayer : public Layer {
 public:
  TransformerEncoderLayer(int64_t width, int64_t heads, const EncoderOptions& options = {});
  Tensor forward(const Tensor& x) const override { return forward(x, {}); }
  Tensor forward(const Tensor& x, const AttentionMask& mask) const;
  Tensor operator()(const Tensor& x, const AttentionMask& mask = {}) const { return forward(x, mask); }

  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;

 private:
  Tensor attended(const Tensor& x, const AttentionMask& mask) const;
  Tensor network(const Tensor& x) const;

  EncoderOptions options_;
};

}  // namespace hearth::nn
