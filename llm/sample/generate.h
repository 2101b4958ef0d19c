// Generation: continues many prompts at once, by continuous batching over a paged cache.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llm/models/causal_lm.h"
#include "llm/sample/params.h"
#include "llm/sample/sample_batch.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

struct Request {
  std::vector<int32_t> prompt;
  SamplingParams params;
};

struct Generated {
  std::vector<int32_t> tokens;  ///< chosen tokens, a stop token included
  std::vector<float> logprobs;  ///< of each, as SampledSequence has them
  std::string text;             ///< decoded, without stop tokens and what a stop text cut off; needs a tokenizer
  FinishReason reason = FinishReason::length;
};

/// Called for each chosen token with the text that became certain by it; returns false to end that continuation.
using OnToken = std::function<bool(size_t request, int32_t token, float logprob, const std::string& text)>;

/// A sequence's cache is kept between calls, so that a conversation does not compute its beginning again. What comes
/// out does not depend on that, nor on the other requests: each token's bits are those of a pass over it alone. A
/// SampleBatch that is driven to its end.
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
  SampleRequest to_sample(const Request& request, const OnToken& on_token, size_t index) const;

  const CausalLm& model_;
  std::shared_ptr<const LoraAdapter> adapter_;  ///< not owned
  const Tokenizer* tokenizer_;
  SampleBatch conversation_;  ///< whose cache `resume` keeps
};

}  // namespace hearth::llm
