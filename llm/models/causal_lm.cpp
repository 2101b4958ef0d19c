// CausalLm: a decoder with an output layer.
#include "llm/models/causal_lm.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "hearth/ops/create.h"
#include "hearth/ops/cross_entropy.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/lora.h"
#include "hearth/ops/reduce.h"
#include "llm/blocks/rotary.h"

namespace hearth::llm {

CausalLm::CausalLm(const DecoderConfig& config, Dtype dtype)
    : model(config, dtype),
      lm_head(config.tie_word_embeddings ? 0 : config.hidden_size, config.vocab_size, false, dtype),
      config_(config),
      inv_freq_(rotary_frequencies(config)) {
  add_module("model", model);
  add_module("lm_head", lm_head);
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const DecoderLayer& layer = model.layers[i];
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    const auto list = [&](const char* name, const Linear& linear) {
      linear_layers_.push_back({prefix + name, linear.weight.size(1), linear.weight.size(0)});
    };
    list("self_attn.q_proj", layer.self_attn.q_proj);
    list("self_attn.k_proj", layer.self_attn.k_proj);
    list("self_attn.v_proj", layer.self_attn.v_proj);
    list("self_attn.o_proj", layer.self_attn.o_proj);
    list("mlp.gate_proj", layer.mlp.gate_proj);
    list("mlp.up_proj", layer.mlp.up_proj);
    list("mlp.down_proj", layer.mlp.down_proj);
  }
  linear_layers_.push_back({"lm_head", config.hidden_size, config.vocab_size});
}

void CausalLm::initialize(uint64_t seed, double std) {
  NoGrad guard;
  std::mt19937_64 engine(seed);
  const auto uniform = [&] { return (double(engine() >> 11) + 0.5) / 9007199254740992.0; };
  for (auto& [name, parameter] : named_parameters()) {
    if (parameter.dim() == 1) {
      fill_(parameter, name.ends_with("bias") ? 0 : 1);
      continue;
    }
    std::vector<float> values(size_t(parameter.numel()));
    // Box and Muller 1958; one number of each pair is enough.
    for (float& v : values)
      v = float(std * std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()));
    copy_(parameter, from_values<float>(std::span<const float>(values), parameter.shape()));
  }
}

const RotaryTable& CausalLm::rotary_for(int64_t positions) const {
  // Powers of two, so that a growing conversation rebuilds the table rarely.
  if (!rotary_.cos.defined() || rotary_.cos.size(0) < positions) {
    int64_t size = 256;
    while (size < positions) size *= 2;
    rotary_ = rotary_table(inv_freq_, size);
  }
  return rotary_;
}

Tensor CausalLm::hidden(const TokenBatch& batch, const RowAdapters& adapters, KvCache* cache,
                        const DropoutSeed& dropout) const {
  const int64_t* positions = batch.positions.data<int64_t>();
  int64_t longest = 0;
  for (int64_t i = 0; i < batch.size(); ++i) longest = std::max(longest, positions[i] + 1);
  return model(ForwardContext{batch, rotary_for(longest), adapters, dropout, cache});
}

LoraSegments CausalLm::head_segments(const RowAdapters& adapters, int64_t rows) const {
  LoraSegments segments;
  for (const AdapterRows& r : adapters.ranges(rows))
    if (const LoraWeights* w = r.adapter->at(linear_layers_.size() - 1))
      segments.push_back({w->a, w->b, w->scale, r.begin, r.end});
  return segments;
}

Tensor CausalLm::logits(const Tensor& hidden, const RowAdapters& adapters) const {
  const LoraSegments segments = head_segments(adapters, hidden.size(0));
  const Tensor& weight = head_weight();
  if (weight.requires_grad()) return add_lora(linear(hidden, weight), hidden, segments);
  const PackedLinear& packed = packed_head_.of(weight);
  return segments.empty() ? linear(hidden, packed) : lora_linear(hidden, packed, {}, segments);
}

Tensor CausalLm::log_probs(const Tensor& hidden, const Tensor& targets, const RowAdapters& adapters) const {
  const LoraSegments segments = head_segments(adapters, hidden.size(0));
  const Tensor& weight = head_weight();
  return weight.requires_grad() ? linear_log_probs(hidden, weight, targets, segments)
                                : linear_log_probs(hidden, packed_head_.of(weight), targets, segments);
}

CrossEntropy CausalLm::cross_entropy(const Tensor& hidden, const Tensor& targets, const Tensor& weights,
                                     const RowAdapters& adapters) const {
  const LoraSegments segments = head_segments(adapters, hidden.size(0));
  const Tensor& weight = head_weight();
  return weight.requires_grad() ? linear_cross_entropy(hidden, weight, targets, weights, segments)
                                : linear_cross_entropy(hidden, packed_head_.of(weight), targets, weights, segments);
}

Tensor CausalLm::weighted_loss(const Tensor& hidden, const Tensor& targets, const Tensor& weights,
                               const RowAdapters& adapters) const {
  return cross_entropy(hidden, targets, weights, adapters).loss;
}

TokenBatch pack(const std::vector<std::vector<int32_t>>& sequences) {
  std::vector<int64_t> tokens, positions, starts = {0};
  for (const auto& sequence : sequences) {
    for (size_t i = 0; i < sequence.size(); ++i) {
      tokens.push_back(sequence[i]);
      positions.push_back(int64_t(i));
    }
    starts.push_back(int64_t(tokens.size()));
  }
  const auto tensor = [](const std::vector<int64_t>& v) {
    return from_values<int64_t>(std::span<const int64_t>(v), {int64_t(v.size())});
  };
  return {tensor(tokens), tensor(positions), tensor(starts)};
}

}  // namespace hearth::llm
