// Attention: grouped-query self-attention of a decoder layer, with rotary positions and optional norms on q and k.
#pragma once

#include "llm/blocks/context.h"
#include "llm/blocks/decoder_config.h"
#include "llm/blocks/linear.h"

namespace hearth::llm {

class Attention : public nn::Module {
 public:
  Attention(const DecoderConfig& config, Dtype dtype);
  /// x [tokens, hidden] -> [tokens, hidden]. `layer` is the number of the decoder layer (for the cache), `first` that
  /// of this block's first linear layer (for the adapter).
  Tensor operator()(const Tensor& x, const ForwardContext& context, size_t layer, size_t first) const;

  Linear q_proj, k_proj, v_proj, o_proj;
  Tensor q_norm, k_norm;  ///< [head_dim], Qwen3 only

 private:
  int64_t heads_, kv_heads_, head_dim_;
  double eps_;
};

}  // namespace hearth::llm
