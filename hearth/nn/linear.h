// Linear, bilinear and embedding layers.
#pragma once

#include <optional>

#include "hearth/nn/layer.h"

namespace hearth::nn {

/// x W^T + b: [..., inputs] -> [..., outputs]. `weight` [outputs, inputs] and `bias` [outputs] start uniform within
/// 1 / sqrt(inputs). Example: nn::Linear project(64, 10); Tensor y = project(x);
class Linear : public Layer {
 public:
  Linear(int64_t inputs, int64_t outputs, bool with_bias = true);
  Tensor forward(const Tensor& x) const override;

  Tensor weight, bias;
};

/// x1 W_k x2 + b_k for every output k: [..., inputs1] and [..., inputs2] -> [..., outputs]; `weight` [outputs, inputs1,
/// inputs2].
class Bilinear : public Module {
 public:
  Bilinear(int64_t inputs1, int64_t inputs2, int64_t outputs, bool with_bias = true);
  Tensor operator()(const Tensor& x1, const Tensor& x2) const;

  Tensor weight, bias;
};

/// Rows of a table by id: int64 [...] -> [..., width]. `weight` [rows, width] starts standard normal; row `padding_idx`
/// is zero and stays so. Example: nn::Embedding tokens(1000, 64); Tensor x = tokens(ids);
class Embedding : public Layer {
 public:
  Embedding(int64_t rows, int64_t width, std::optional<int64_t> padding_idx = {});
  Tensor forward(const Tensor& ids) const override;

  Tensor weight;

 private:
  std::optional<int64_t> padding_idx_;
};

}  // namespace hearth::nn
