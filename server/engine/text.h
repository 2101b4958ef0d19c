// Text for endpoints that speak it: prompts to tokens, tokens to pieces.
#pragma once

#include <string>
#include <vector>

#include "llm/sample/sample_batch.h"
#include "server/engine/answers.h"
#include "server/engine/base_models.h"

namespace hearth::server {

/// The tokens of a prompt: of its messages by the model's chat template, of its text, its own, or else `tokens`. Raises
/// ValueError for messages that are none or a model without tokenizer.
std::vector<int32_t> prompt_tokens(const Base& base, const Prompt& prompt, const std::vector<int32_t>& tokens);

/// The bytes of a token alone; empty for special ones.
std::string token_text(const Base& base, int32_t token);

StreamEnd stream_end(const Base& base, const llm::SampleResult& result, int64_t prompt_tokens);

}  // namespace hearth::server
