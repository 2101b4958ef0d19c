// DecoderConfig: everything that tells one decoder-only language model from another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth::llm {

/// How rotary frequencies are changed for contexts longer than the model was first trained on.
struct RopeScaling {
  enum class Kind { none, linear, llama3 };
  Kind kind = Kind::none;
  double factor = 1;
  double low_freq_factor = 1;                       ///< llama3 only
  double high_freq_factor = 4;                      ///< llama3 only
  int64_t original_max_position_embeddings = 8192;  ///< llama3 only
};

/// Names are those of Hugging Face's config.json where it has one.
struct DecoderConfig {
  std::string model_type;
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;
  int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-5;
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  bool tie_word_embeddings = false;
  bool qkv_bias = false;     ///< q_proj, k_proj and v_proj have a bias
  bool output_bias = false;  ///< o_proj has a bias
  bool mlp_bias = false;
  bool qk_norm = false;       ///< RMS norm over each head of q and k
  int64_t bos_token_id = -1;  ///< -1: none
  std::vector<int64_t> eos_token_ids;
};

}  // namespace hearth::llm
