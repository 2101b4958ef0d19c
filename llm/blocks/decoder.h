// Decoder: embedding, layers and final norm of a decoder-only model.
#pragma once

#include "llm/blocks/attention.h"
#include "llm/blocks/mlp.h"

namespace hearth::llm {

class DecoderLayer : public nn::Module {
 public:
  static constexpr size_t linear_layers = 7;

  DecoderLayer(const DecoderConfig& config, Dtype dtype);
  Tensor operator()(const Tensor& x, const ForwardContext& context, size_t layer) const;

  Tensor input_layernorm, post_attention_layernorm;  ///< weights [hidden]
  Attention self_attn;
  Mlp mlp;

 private:
  double eps_;
};

class Decoder : public nn::Module {
 public:
  Decoder(const DecoderConfig& config, Dtype dtype);
  /// Hidden states after the final norm, float32: [tokens, hidden]. Raises IndexError for a token id outside the
  /// vocabulary.
  Tensor operator()(const ForwardContext& context) const;

  Tensor embed_tokens;  ///< [vocab, hidden]
  nn::ModuleList<DecoderLayer> layers;
  Tensor norm;  ///< [hidden]

  /// Compute a layer's activations again in backward instead of keeping them.
  bool checkpoint_layers = false;

 private:
  double eps_;
};

}  // namespace hearth::llm
