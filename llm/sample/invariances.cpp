// A quick probe of the invariances on this machine.
#include "llm/sample/invariances.h"

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/grad_mode.h"
#include "hearth/ops/create.h"
#include "hearth/ops/softmax.h"
#include "hearth/ops/view.h"
#include "llm/models/causal_lm.h"

namespace hearth::llm {

namespace {

using Bits = std::vector<float>;

/// Sizes that are no multiples of a vector, so that tails are probed too.
DecoderConfig probe_config() {
  DecoderConfig c;
  c.model_type = "llama";
  c.vocab_size = 131;
  c.hidden_size = 72;
  c.intermediate_size = 200;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 6;
  c.num_key_value_heads = 2;
  c.head_dim = 12;
  c.max_position_embeddings = 256;
  return c;
}

std::vector<int32_t> sequence(int64_t length, int32_t seed) {
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < length; ++i) tokens.push_back(int32_t((i * 31 + seed * 17 + i * i % 7) % 131));
  return tokens;
}

Bits log_probs(const CausalLm& model, const std::vector<std::vector<int32_t>>& sequences) {
  return to_vector<float>(log_softmax(model.logits(model.hidden(pack(sequences))), -1));
}

/// The same rows, one token at a time against the cache.
Bits decoded(const CausalLm& model, const std::vector<int32_t>& tokens) {
  KvCache cache(model.config());
  const int64_t id = cache.add();
  Bits out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    TokenBatch batch = pack({{tokens[i]}});
    batch.positions = from_values<int64_t>({int64_t(i)});
    cache.begin({id}, batch);
    const Bits row = to_vector<float>(log_softmax(model.logits(model.hidden(batch, nullptr, &cache)), -1));
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

}  // namespace

Invariances probe_invariances(Dtype weights) {
  NoGrad guard;
  CausalLm model(probe_config(), weights);
  model.initialize(7, 0.2);
  model.requires_grad_(false);
  const std::vector<int32_t> probe = sequence(70, 1);
  const Bits alone = log_probs(model, {probe});
  Invariances result;
  result.row = decoded(model, probe) == alone;
  const Bits beside = log_probs(model, {probe, sequence(5, 2), sequence(33, 3)});
  const Bits other = log_probs(model, {probe, sequence(90, 4)});
  result.batch = Bits(beside.begin(), beside.begin() + long(alone.size())) == alone &&
                 Bits(other.begin(), other.begin() + long(alone.size())) == alone;
  const int threads = cpu::num_threads();
  result.thread = true;
  for (int count : {1, 2, 3}) {
    cpu::set_num_threads(count);
    result.thread = result.thread && log_probs(model, {probe}) == alone;
  }
  cpu::set_num_threads(threads);
  return result;
}

}  // namespace hearth::llm
