// Mlp: the gated feed-forward part of a decoder layer.
#include "llm/blocks/mlp.h"

#include "hearth/ops/swiglu.h"

namespace hearth::llm {

Mlp::Mlp(const DecoderConfig& c, Dtype dtype)
    : gate_proj(c.hidden_size, c.intermediate_size, c.mlp_bias, dtype),
      up_proj(c.hidden_size, c.intermediate_size, c.mlp_bias, dtype),
      down_proj(c.intermediate_size, c.hidden_size, c.mlp_bias, dtype) {
  add_module("gate_proj", gate_proj);
  add_module("up_proj", up_proj);
  add_module("down_proj", down_proj);
}

Tensor Mlp::operator()(const Tensor& x, const ForwardContext& context, size_t first) const {
  const Tensor gate = gate_proj(x, context.lora(first)), up = up_proj(x, context.lora(first + 1));
  return down_proj(swiglu(gate, up), context.lora(first + 2));
}

}  // namespace hearth::llm
