// LoRA adapter: low-rank weights beside the linear layers of a frozen model (Hu et al. 2021).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hearth/core/tensor.h"
#include "hearth/nn/module.h"

namespace hearth::llm {

struct LoraConfig {
  int64_t rank = 16;
  double alpha = 32;
  double dropout = 0;            ///< on the input of the low-rank path, in training only
  bool rank_stabilized = false;  ///< scale by alpha / sqrt(rank) instead of alpha / rank
  /// Ends of layer names ("q_proj"), as PEFT's target_modules; empty: all linear layers of the blocks.
  std::vector<std::string> target_modules;

  double scale() const;
};

/// A linear layer that can carry LoRA weights: its name in the model and its shape.
struct LinearShape {
  std::string name;  ///< e.g. "model.layers.0.self_attn.q_proj"
  int64_t in = 0, out = 0;
};

/// The weights of one layer: the layer adds scale * (x A^T) B^T.
struct LoraWeights {
  Tensor a;  ///< [rank, in]
  Tensor b;  ///< [out, rank]
  double scale = 1;
  bool defined() const { return a.defined(); }
};

/// Weights for some layers of one model. Layers are found by their position in the model's list of linear layers, so
/// that many adapters can serve one base.
class LoraAdapter {
 public:
  /// New weights for the target layers: A uniform (Kaiming, as PEFT), drawn from `seed`; B zero, so that the model is
  /// unchanged at first. Raises ValueError for an impossible config or targets that name no layer.
  LoraAdapter(const LoraConfig& config, const std::vector<LinearShape>& layers, uint64_t seed);
  /// Given weights; `weights[i]` belongs to `layers[i]` and may be undefined.
  LoraAdapter(const LoraConfig& config, std::vector<LinearShape> layers, std::vector<LoraWeights> weights);

  const LoraConfig& config() const { return config_; }
  const LoraWeights* at(size_t layer) const { return weights_[layer].defined() ? &weights_[layer] : nullptr; }
  const std::vector<LinearShape>& layers() const { return layers_; }

  /// "NAME.lora_A.weight", "NAME.lora_B.weight" for each layer, in order.
  nn::NamedTensors named_parameters() const;
  TensorList parameters() const;
  void requires_grad_(bool value) const;

 private:
  LoraConfig config_;
  std::vector<LinearShape> layers_;
  std::vector<LoraWeights> weights_;
};

/// Adds scale * B A to the weight [out, in] of a layer and returns the sum in the weight's dtype.
Tensor merged_weight(const Tensor& weight, const LoraWeights& lora);

}  // namespace hearth::llm
