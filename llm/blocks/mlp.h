// Mlp: the gated feed-forward part of a decoder layer, down(silu(gate(x)) * up(x)).
#pragma once

#include "llm/blocks/context.h"
#include "llm/blocks/decoder_config.h"
#include "llm/blocks/linear.h"

namespace hearth::llm {

class Mlp : public nn::Module {
 public:
  Mlp(const DecoderConfig& config, Dtype dtype);
  /// x [tokens, hidden] -> [tokens, hidden]. `first` is the number of this block's first linear layer in the adapter.
  Tensor operator()(const Tensor& x, const ForwardContext& context, size_t first) const;

  Linear gate_proj, up_proj, down_proj;
};

}  // namespace hearth::llm
