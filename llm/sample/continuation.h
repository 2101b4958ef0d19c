// Continuation: how one sample chooses its tokens, what its text is and when it ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llm/models/causal_lm.h"
#include "llm/sample/sample_batch.h"
#include "llm/sample/sampler.h"
#include "llm/sample/stop.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

/// The tokens that end every text of a model: those of its config and its tokenizer's.
std::vector<int32_t> end_tokens(const DecoderConfig& config, const Tokenizer* tokenizer);

/// Tokens of text as they come, in pieces that are safe to show, up to a stop text.
class TextWatch {
 public:
  /// `skip_special`: special tokens are no part of the text.
  TextWatch(const Tokenizer& tokenizer, const SampleRequest& request, bool skip_special);
  std::string push(int32_t token) { return stop_.push(decoder_.push(token)); }
  std::string flush();
  bool stopped() const { return stop_.stopped(); }

 private:
  StreamDecoder decoder_;
  StopText stop_;
};

class Continuation {
 public:
  /// Sample number `index` of a request that was checked; `end_tokens` stop it unless the request ignores them.
  Continuation(const SampleRequest& request, int64_t index, const std::vector<int32_t>& end_tokens,
               const Tokenizer* tokenizer);

  /// Takes the chosen token and returns the text that became certain by it; `last`: no more are allowed.
  std::string take(int32_t token, bool last);
  /// A stop token or a stop text came.
  bool stopped() const { return stopped_; }

  Sampler sampler;

 private:
  std::vector<int32_t> stop_tokens_;
  std::optional<TextWatch> match_, shown_;
  bool stopped_ = false;
};

}  // namespace hearth::llm
