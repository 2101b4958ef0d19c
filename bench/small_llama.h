// The small Llama that the benchmarks use where no model folder is named: random weights, made in memory.
#pragma once

#include <memory>

#include "llm/models/causal_lm.h"

namespace hearth::llm {

/// Hidden 576, 30 layers, inner 1536, 9 heads, 3 kv heads, vocabulary 49152, tied; as bench/peers/make_small.py.
inline std::unique_ptr<CausalLm> small_llama(Dtype dtype = Dtype::float32) {
  DecoderConfig c;
  c.model_type = "llama";
  c.vocab_size = 49152;
  c.hidden_size = 576;
  c.intermediate_size = 1536;
  c.num_hidden_layers = 30;
  c.num_attention_heads = 9;
  c.num_key_value_heads = 3;
  c.head_dim = 64;
  c.max_position_embeddings = 2048;
  c.tie_word_embeddings = true;
  auto model = std::make_unique<CausalLm>(c, dtype);
  model->initialize(1);
  model->requires_grad_(false);
  return model;
}

}  // namespace hearth::llm
