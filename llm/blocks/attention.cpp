// Attention: projections, norms and rotation around the attention kernel.
#include "llm/blocks/attention.h"

#include <cmath>

#include "hearth/ops/attention.h"
#include "hearth/ops/create.h"
#include "hearth/ops/norm.h"
#include "hearth/ops/view.h"
#include "llm/blocks/kv_cache.h"

namespace hearth::llm {

Attention::Attention(const DecoderConfig& c, Dtype dtype)
    : q_proj(c.hidden_size, c.num_attention_heads * c.head_dim, c.qkv_bias, dtype),
      k_proj(c.hidden_size, c.num_key_value_heads * c.head_dim, c.qkv_bias, dtype),
      v_proj(c.hidden_size, c.num_key_value_heads * c.head_dim, c.qkv_bias, dtype),
      o_proj(c.num_attention_heads * c.head_dim, c.hidden_size, c.output_bias, dtype),
      heads_(c.num_attention_heads),
      kv_heads_(c.num_key_value_heads),
      head_dim_(c.head_dim),
      eps_(c.rms_norm_eps) {
  if (c.qk_norm) q_norm = Tensor::empty({head_dim_}, dtype), k_norm = Tensor::empty({head_dim_}, dtype);
  add_module("q_proj", q_proj);
  add_module("k_proj", k_proj);
  add_module("v_proj", v_proj);
  add_module("o_proj", o_proj);
  add_parameter("q_norm.weight", q_norm);
  add_parameter("k_norm.weight", k_norm);
}

Tensor Attention::operator()(const Tensor& x, const ForwardContext& context, size_t layer, size_t first) const {
  const int64_t tokens = x.size(0);
  Tensor q = reshape(q_proj(x, context.lora(first)), {tokens, heads_, head_dim_});
  Tensor k = reshape(k_proj(x, context.lora(first + 1)), {tokens, kv_heads_, head_dim_});
  const Tensor v = reshape(v_proj(x, context.lora(first + 2)), {tokens, kv_heads_, head_dim_});
  if (q_norm.defined())
    q = rms_norm(q, hearth::to(q_norm, q.dtype()), eps_), k = rms_norm(k, hearth::to(k_norm, k.dtype()), eps_);
  q = rotary(q, context.batch.positions, context.rotary);
  k = rotary(k, context.batch.positions, context.rotary);
  const double scale = 1.0 / std::sqrt(double(head_dim_));
  const Tensor mixed = context.cache ? context.cache->attend(layer, q, k, v, scale)
                                     : attention(q, k, v, context.batch.cu_seqlens, scale);
  return o_proj(reshape(mixed, {tokens, heads_ * head_dim_}), context.lora(first + 3));
}

}  // namespace hearth::llm
