// CausalLm: a decoder with an output layer; tokens in, hidden states, logits and log-probabilities out.
#pragma once

#include <memory>
#include <string>

#include "hearth/ops/cross_entropy.h"
#include "llm/blocks/decoder.h"
#include "llm/blocks/kv_cache.h"

namespace hearth::llm {

/// Parameter names are those of Hugging Face ("model.layers.0.self_attn.q_proj.weight", "lm_head.weight").
class CausalLm : public nn::Module {
 public:
  /// Uninitialised weights; see weights/load and `initialize`.
  explicit CausalLm(const DecoderConfig& config, Dtype dtype = Dtype::float32);

  const DecoderConfig& config() const { return config_; }

  /// Normal(0, std) for matrices and embeddings, ones for norms, zeros for biases; a function of the seed alone.
  void initialize(uint64_t seed, double std = 0.02);

  /// Hidden states [tokens, hidden] of a packed batch. With a cache, the batch continues the cached sequences.
  Tensor hidden(const TokenBatch& batch, const RowAdapters& adapters = {}, KvCache* cache = nullptr,
                const DropoutSeed& dropout = {}) const;

  /// Logits [rows, vocab] of hidden states [rows, hidden], float32. Here and below, adapters name rows of `hidden`.
  Tensor logits(const Tensor& hidden, const RowAdapters& adapters = {}) const;

  /// log p(target) of each hidden state, float32 [rows], differentiable; targets int64 [rows], or [rows, k] for
  /// k candidates of each. The logits of all rows are never stored, and a row's bits are those of
  /// log_softmax(logits(row)).
  Tensor log_probs(const Tensor& hidden, const Tensor& targets, const RowAdapters& adapters = {}) const;

  /// -sum(weights * log p(target)), a scalar, and the log-probabilities as in `log_probs`; faster in training than the
  /// same sum over them. weights float32 [rows]; targets of -100 take no part.
  CrossEntropy cross_entropy(const Tensor& hidden, const Tensor& targets, const Tensor& weights,
                             const RowAdapters& adapters = {}) const;

  /// The loss alone.
  Tensor weighted_loss(const Tensor& hidden, const Tensor& targets, const Tensor& weights,
                       const RowAdapters& adapters = {}) const;

  /// The output layer's weight [vocab, hidden]: the embedding when tied.
  const Tensor& head_weight() const { return config_.tie_word_embeddings ? model.embed_tokens : lm_head.weight; }

  /// The linear layers that an adapter may change, in the order that adapters count them: those of the blocks, then
  /// the output layer.
  const std::vector<LinearShape>& linear_layers() const { return linear_layers_; }

  Decoder model;
  Linear lm_head;  ///< weight undefined when tied

 private:
  const RotaryTable& rotary_for(int64_t positions) const;
  LoraSegments head_segments(const RowAdapters& adapters, int64_t rows) const;

  DecoderConfig config_;
  std::vector<LinearShape> linear_layers_;
  Tensor inv_freq_;
  PackedCache packed_head_;
  mutable RotaryTable rotary_;  ///< grows with the longest sequence seen
};

/// Sequences as one packed batch. Example: TokenBatch b = pack({{1, 5, 7}, {1, 9}});
TokenBatch pack(const std::vector<std::vector<int32_t>>& sequences);

}  // namespace hearth::llm
