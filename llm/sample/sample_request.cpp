// What SampleBatch demands of a request, rule by rule.
#include <algorithm>

#include "llm/sample/batch_state.h"

namespace hearth::llm {

namespace {

void check_tokens(const SampleRequest& r, const DecoderConfig& config) {
  check<ValueError>(!r.prompt.empty(), "sample: the prompt has no tokens");
  check<ValueError>(int64_t(r.prompt.size()) < config.max_position_embeddings,
                    "sample: the prompt leaves no room: ", r.prompt.size(), " tokens, the model's context is ",
                    config.max_position_embeddings);
  for (size_t i = 0; i < r.prompt.size(); ++i)
    check<IndexError>(r.prompt[i] >= 0 && r.prompt[i] < config.vocab_size, "sample: token id ", r.prompt[i],
                      " at position ", i, " of the prompt is not in the model's vocabulary of ", config.vocab_size);
}

void check_scores(const SampleRequest& r, const DecoderConfig& config) {
  const auto not_negative = [](const char* name, int64_t value) {
    check<ValueError>(value >= 0, "sample: ", name, " must be 0 or more: ", value);
  };
  not_negative("prompt_logprobs_last_n", r.prompt_logprobs_last_n.value_or(0));
  for (const auto& [name, k] : {std::pair("topk_prompt_logprobs", r.topk_prompt_logprobs),
                                std::pair("topk_sample_logprobs", r.topk_sample_logprobs)}) {
    not_negative(name, k);
    check<ValueError>(k <= config.vocab_size, "sample: ", name, " is more than the vocabulary of ", config.vocab_size,
                      ": ", k);
  }
  constexpr int64_t most_draws = 4096;
  check<ValueError>(r.prompt_alt_tokens_k >= 0 && r.prompt_alt_tokens_k <= most_draws,
                    "sample: prompt_alt_tokens_k must be 0 to ", most_draws, ": ", r.prompt_alt_tokens_k);
  not_negative("target_prompt_k", r.target_prompt_k);
  const int64_t cells = int64_t(r.target_prompt.size()), rows = int64_t(r.prompt.size()) - 1;
  check<ValueError>(
      r.target_prompt_k == 0 ? cells == 0 : cells % r.target_prompt_k == 0 && cells / r.target_prompt_k == rows,
      "sample: target_prompt must hold ", rows, " rows (the prompt's tokens less one) of ", r.target_prompt_k,
      " ids: ", cells);
  for (int64_t id : r.target_prompt)
    check<IndexError>(id >= -1 && id < config.vocab_size, "sample: target_prompt: id ", id,
                      " is neither -1 nor in the model's vocabulary of ", config.vocab_size);
}

void check_adapter(const SampleRequest& r, const CausalLm& model) {
  if (!r.adapter) return;
  const auto& own = model.linear_layers();
  const auto& layers = r.adapter->layers();
  bool fits = own.size() == layers.size();
  for (size_t i = 0; fits && i < own.size(); ++i) fits = own[i].in == layers[i].in && own[i].out == layers[i].out;
  check<ValueError>(fits, "sample: the adapter belongs to a model of other layers: it has ", layers.size(),
                    ", this model ", own.size());
}

}  // namespace

void check_sample_request(const SampleRequest& r, const CausalLm& model, const Tokenizer* tokenizer,
                          int64_t max_cached_tokens) {
  const DecoderConfig& config = model.config();
  validate(r.params);
  check_tokens(r, config);
  check_scores(r, config);
  check_adapter(r, model);
  constexpr int64_t most_samples = 4096;
  check<ValueError>(r.num_samples >= 1 && r.num_samples <= most_samples, "sample: num_samples must be 1 to ",
                    most_samples, ": ", r.num_samples);
  check<ValueError>(tokenizer || r.params.stop.empty(), "sample: stop texts need a tokenizer");
  check<ValueError>(tokenizer || !r.text, "sample: text needs a tokenizer");
  const int64_t prompt = int64_t(r.prompt.size());
  const int64_t asked = r.params.max_tokens == SampleRequest::to_context ? 1 : r.params.max_tokens;
  const int64_t longest = prompt + std::min(asked, config.max_position_embeddings - prompt);
  check<ValueError>(longest <= max_cached_tokens, "sample: the request does not fit the cache: ", prompt,
                    " tokens of the prompt and up to ", longest - prompt, " more, the cache holds ", max_cached_tokens);
}

}  // namespace hearth::llm
