// random_llama: a Llama of any size with random weights, made in memory, for tests.
#pragma once

#include <cstdint>
#include <memory>

#include "llm/models/causal_lm.h"

namespace hearth::llm {

/// Sizes of a Llama; `seed` and `spread` (a standard deviation) are CausalLm::initialize's.
struct LlamaSizes {
  int64_t vocab = 101, hidden = 32, inner = 72, layers = 2, heads = 4, kv_heads = 2, context = 4096;
  bool tied = false;
  uint64_t seed = 7;
  double spread = 0.1;
};

/// The same sizes and type give the same weights. Example: auto model = random_llama({.vocab = 300, .heads = 8});
inline std::unique_ptr<CausalLm> random_llama(const LlamaSizes& sizes = {}, Dtype dtype = Dtype::float32) {
  DecoderConfig config;
  config.model_type = "llama";
  config.vocab_size = sizes.vocab;
  config.hidden_size = sizes.hidden;
  config.intermediate_size = sizes.inner;
  config.num_hidden_layers = sizes.layers;
  config.num_attention_heads = sizes.heads;
  config.num_key_value_heads = sizes.kv_heads;
  config.head_dim = sizes.hidden / sizes.heads;
  config.max_position_embeddings = sizes.context;
  config.tie_word_embeddings = sizes.tied;
  auto model = std::make_unique<CausalLm>(config, dtype);
  model->initialize(sizes.seed, sizes.spread);
  return model;
}

}  // namespace hearth::llm
