// Continuation: stop tokens end it at once, stop texts when a token completes one.
#include "llm/sample/continuation.h"

#include <algorithm>

namespace hearth::llm {

namespace {

SamplingParams with_seed(SamplingParams params, int64_t index) {
  params.seed += uint64_t(index);
  return params;
}

}  // namespace

std::vector<int32_t> end_tokens(const DecoderConfig& config, const Tokenizer* tokenizer) {
  std::vector<int32_t> tokens(config.eos_token_ids.begin(), config.eos_token_ids.end());
  if (tokenizer && tokenizer->eos_id()) tokens.push_back(*tokenizer->eos_id());
  return tokens;
}

TextWatch::TextWatch(const Tokenizer& tokenizer, const SampleRequest& request, bool skip_special)
    : decoder_(tokenizer, skip_special), stop_(request.params.stop) {
  // The decoder must know what came before: a leading space means something else at the beginning of a text.
  for (int32_t token : request.prompt)
    if (token < tokenizer.vocab_size()) decoder_.push(token);
}

std::string TextWatch::flush() {
  std::string text = stop_.push(decoder_.flush());
  text += stop_.flush();
  return text;
}

Continuation::Continuation(const SampleRequest& request, int64_t index, const std::vector<int32_t>& end_tokens,
                           const Tokenizer* tokenizer)
    : sampler(with_seed(request.params, index)), stop_tokens_(request.params.stop_tokens) {
  sampler.see(request.prompt);
  if (!request.ignore_eos) stop_tokens_.insert(stop_tokens_.end(), end_tokens.begin(), end_tokens.end());
  // Stop texts may name special tokens, which are not shown.
  if (!request.params.stop.empty()) match_.emplace(*tokenizer, request, false);
  if (request.text) shown_.emplace(*tokenizer, request, true);
}

std::string Continuation::take(int32_t token, bool last) {
  const bool stop_token = std::find(stop_tokens_.begin(), stop_tokens_.end(), token) != stop_tokens_.end();
  if (match_ && !stop_token) match_->push(token);
  stopped_ = stop_token || (match_ && match_->stopped());
  std::string text;
  if (!shown_) return text;
  if (!stop_token) text = shown_->push(token);
  if ((stopped_ || last) && !shown_->stopped()) text += shown_->flush();
  return text;
}

}  // namespace hearth::llm
