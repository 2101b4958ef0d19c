// Generation: continues many prompts at once, by continuous batching over a paged cache.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "llm/models/causal_lm.h"
#include "llm/sample/params.h"
#include "llm/sample/sample_batch.h"
#include "llm/sample/sampler.h"
#include "llm/sample/stop.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

struct Request {
  std::vector<int32_t> prompt;
  SamplingParams params;
};

struct Generated {
  std::vector<int32_t> tokens;  ///< chosen tokens, a stop token included
  std::vector<float> logprobs;  ///< of each, under the model itself: temperature 1, nothing cut off
  std::string text;             ///< decoded, without stop tokens and what a stop text cut off; needs a tokenizer
  FinishReason reason = FinishReason::length;
};

/// Called for each chosen token with the text that became certain by it; returns false to end that continuation.
using OnToken = std::function<bool(size_t request, int32_t token, float logprob, const std::string& text)>;

/// A sequence's cache is kept between calls, so that a conversation does not compute its beginning again. What comes
/// out does not depend on that, nor on the other requests: each token's bits are those of a pass over it alone.
class Generator {
 public:
  /// `tokenizer` may be null: then there is no text and stop strings are refused. All must outlive the generator.
  Generator(const CausalLm& model, const LoraAdapter* adapter, const Tokenizer* tokenizer);

  /// Continues every request. At most `max_batch` run at once; the others wait their turn in order. The model's own
  /// end-of-text tokens stop a continuation too. Raises ValueError for impossible parameters, an empty prompt, or a
  /// prompt that leaves no room in the model's context.
  std::vector<Generated> run(const std::vector<Request>& requests, const OnToken& on_token = {}, size_t max_batch = 64);

  /// Continues one prompt and keeps its cache; the next call computes only what its prompt adds or changes.
  Generated resume(const Request& request, const OnToken& on_token = {});

 private:
  struct Running;
  void check_request(const Request& request) const;
  Running start(size_t index, const Request& request, int64_t sequence) const;
  void step(std::vector<Running>& running, std::vector<Generated>& results, const OnToken& on_token);
  void take(Running& run, const float* logits, Generated& result, const OnToken& on_token) const;
  bool is_stop(const Running& run, int32_t token) const;

  const CausalLm& model_;
  const LoraAdapter* adapter_;
  const Tokenizer* tokenizer_;
  KvCache cache_;
  int64_t kept_sequence_ = -1;
  std::vector<int32_t> kept_tokens_;
};

}  // namespace hearth::llm
