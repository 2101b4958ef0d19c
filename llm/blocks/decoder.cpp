// Decoder: embedding, layers and final norm of a decoder-only model.
#include "llm/blocks/decoder.h"

#include "hearth/autograd/checkpoint.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/embedding.h"
#include "hearth/ops/low_rank.h"
#include "hearth/ops/norm.h"

namespace hearth::llm {

DecoderLayer::DecoderLayer(const DecoderConfig& c, Dtype dtype)
    : input_layernorm(Tensor::empty({c.hidden_size}, dtype)),
      post_attention_layernorm(Tensor::empty({c.hidden_size}, dtype)),
      self_attn(c, dtype),
      mlp(c, dtype),
      eps_(c.rms_norm_eps) {
  add_parameter("input_layernorm.weight", input_layernorm);
  add_parameter("post_attention_layernorm.weight", post_attention_layernorm);
  add_module("self_attn", self_attn);
  add_module("mlp", mlp);
}

Tensor DecoderLayer::operator()(const Tensor& x, const ForwardContext& context, size_t layer) const {
  const size_t first = layer * linear_layers;
  const Tensor middle =
      add(x, self_attn(rms_norm(x, hearth::to(input_layernorm, x.dtype()), eps_), context, layer, first));
  return add(middle, mlp(rms_norm(middle, hearth::to(post_attention_layernorm, x.dtype()), eps_), context, first + 4));
}

Decoder::Decoder(const DecoderConfig& c, Dtype dtype)
    : embed_tokens(Tensor::empty({c.vocab_size, c.hidden_size}, dtype)),
      norm(Tensor::empty({c.hidden_size}, dtype)),
      eps_(c.rms_norm_eps) {
  add_parameter("embed_tokens.weight", embed_tokens);
  add_module("layers", layers);
  for (int64_t i = 0; i < c.num_hidden_layers; ++i) layers.append(c, dtype);
  add_parameter("norm.weight", norm);
}

Tensor Decoder::operator()(const ForwardContext& context) const {
  Tensor x = hearth::to(embedding(embed_tokens, context.batch.tokens), Dtype::float32);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!checkpoint_layers || !grad_enabled()) {
      x = layers[i](x, context, i);
      continue;
    }
    TensorList parameters = layers[i].parameters();
    for (size_t j = 0; j < DecoderLayer::linear_layers; ++j) {
      const LoraPath lora = context.lora(i * DecoderLayer::linear_layers + j);
      parameters = with_segments(with_segments(std::move(parameters), lora.segments), lora.dropping);
    }
    // The batch and the rotary table outlive the backward through the copies that the closure holds.
    const auto batch = std::make_shared<TokenBatch>(context.batch);
    const auto rotary = std::make_shared<RotaryTable>(context.rotary);
    x = checkpoint(
        [this, i, batch, rotary, adapters = context.adapters, dropout = context.dropout](const TensorList& in) {
          return TensorList{layers[i](in[0], ForwardContext{*batch, *rotary, adapters, dropout}, i)};
        },
        {x}, parameters)[0];
  }
  return rms_norm(x, hearth::to(norm, x.dtype()), eps_);
}

}  // namespace hearth::llm
