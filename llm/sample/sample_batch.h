// SampleBatch: continuous batching that its caller drives step by step.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/lora/adapter.h"
#include "llm/sample/params.h"

namespace hearth::llm {

class CausalLm;
class Tokenizer;

enum class FinishReason { length, stop };

/// Rows of k tokens with their log-probabilities, most likely first (drawn ones in the order drawn). Cells that were
/// not asked for hold token 0 and `unused`.
struct TokenTable {
  static constexpr float unused = -99999.0f;
  int64_t k = 0;
  std::vector<int32_t> tokens;  ///< rows * k
  std::vector<float> logprobs;
};

/// A token that was just chosen.
struct SampledToken {
  int64_t sample = 0;  ///< which continuation of the request
  int32_t token = 0;
  float logprob = 0;
  std::string text;                     ///< what became certain by it; only when the request wants text
  std::span<const int32_t> top_tokens;  ///< the most likely ones, when the request wants `topk_sample_logprobs`
  std::span<const float> top_logprobs;
};

/// `params.max_tokens` may be `to_context`: as many as the model's context (it is cut to that anyway) and the cache
/// have room for. Continuation i draws from `params.seed + i`.
struct SampleRequest {
  static constexpr int64_t to_context = std::numeric_limits<int64_t>::max();

  std::vector<int32_t> prompt;
  SamplingParams params;  ///< top_k 0 is off
  int64_t num_samples = 1;
  std::shared_ptr<const LoraAdapter> adapter;  ///< must not change while the request runs; null: the base model
  bool ignore_eos = false;                     ///< the model's own end-of-text tokens do not stop
  bool text = false;                           ///< decode; needs a tokenizer

  bool prompt_logprobs = false;
  std::optional<int64_t> prompt_logprobs_last_n;  ///< score only the last n tokens of the prompt, top-k rows too
  int64_t topk_prompt_logprobs = 0;
  int64_t topk_sample_logprobs = 0;
  std::vector<int64_t> target_prompt;  ///< ids [prompt - 1, target_prompt_k]: what could stand at position row + 1; -1:
                                       ///< none, answered 0.0
  int64_t target_prompt_k = 0;
  int64_t prompt_alt_tokens_k = 0;  ///< draws for each position of the prompt after the first

  /// Called from `step` for each chosen token; returns false to end that continuation. An exception fails the request.
  /// Of the batch's methods it may call `cancel` only.
  std::function<bool(const SampledToken&)> on_token;
};

struct SampledSequence {
  std::vector<int32_t> tokens;  ///< those that stopped it included
  /// Of softmax(logits / temperature) over the whole vocabulary: the filters top-k, top-p and min-p and the repetition
  /// penalty change what is chosen, not these numbers. At temperature 1 the bits of CausalLm::log_probs; at
  /// temperature 0 (greedy) those of temperature 1.
  std::vector<float> logprobs;
  FinishReason reason = FinishReason::length;
  TokenTable top;    ///< one row for each token, when asked for; same distribution as `logprobs`
  std::string text;  ///< without stop tokens and what a stop text cut off
};

/// What a request ends as. All about the prompt is at temperature 1, with the bits of CausalLm::log_probs.
struct SampleResult {
  std::vector<SampledSequence> sequences;
  std::vector<float> prompt_logprobs;  ///< as long as the prompt; NaN first and where not asked for
  TokenTable prompt_top;               ///< rows = prompt; the first is unused
  std::vector<float> target_prompt;    ///< as the request's
  TokenTable prompt_alt;               ///< rows = prompt - 1, drawn at the request's temperature, with its log-probs
  int64_t cached_tokens = 0;           ///< of the prompt, taken from an earlier request's cache
};

/// A request that is over: `error` is set when it failed, else `result` holds.
struct FinishedSample {
  uint64_t id = 0;
  SampleResult result;
  std::exception_ptr error;
};

struct SampleLimits {
  int64_t running = 64;                    ///< continuations that run at once
  int64_t step_tokens = 256;               ///< tokens of prompts that one step computes, besides one for each running
  int64_t cache_bytes = int64_t(1) << 30;  ///< of keys and values
  int64_t kept_sequences = 32;             ///< finished ones whose cache stays, for prompts that begin like them
};

/// Requests join at any time, wait their turn in order, run together and leave when they are done. What comes out of a
/// request depends on nothing but itself: each token's bits are those of a pass over it alone, whoever runs beside it,
/// however its prompt is cut and even when it had to give its cache up and compute it again. Not for several threads.
/// Example: SampleBatch batch(model, &tokenizer); batch.add({.prompt = ids}); while (!batch.empty()) use(batch.step());
class SampleBatch {
 public:
  /// `tokenizer` may be null: then there is no text, stop texts are refused and the model's whole vocabulary may be
  /// drawn; else tokens that the tokenizer does not know are never chosen. Both must outlive the batch, and the model's
  /// weights must not change while requests run.
  SampleBatch(const CausalLm& model, const Tokenizer* tokenizer, SampleLimits limits = {});
  ~SampleBatch();
  SampleBatch(SampleBatch&&) noexcept;

  /// Raises what `add` would; needs nothing but the request. ValueError for impossible parameters, an empty prompt, a
  /// prompt that leaves no room in the context or the cache; IndexError for a token outside the vocabulary.
  void check(const SampleRequest& request) const;

  /// Puts a request at the end of the queue and returns its number (1, 2, ...).
  uint64_t add(SampleRequest request);

  /// Drops a request, whatever its state; it will not be among the finished. False when there is none such (any more).
  bool cancel(uint64_t id);

  /// One pass of the model over all running continuations and a piece of the prompts that are being computed; returns
  /// the requests that it finished. Does nothing when `empty()`.
  std::vector<FinishedSample> step();

  bool empty() const;             ///< nothing waits and nothing runs
  int64_t waiting() const;        ///< requests that have not begun
  int64_t running() const;        ///< continuations (or prompts) under way
  int64_t bytes() const;          ///< memory that the cache takes
  int64_t cached_tokens() const;  ///< what running and kept sequences hold, in whole pages, shared ones once
  /// Gives all memory of the cache back that nobody runs on, kept sequences included.
  void trim();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::llm
