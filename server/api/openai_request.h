// OpenAI request: what a completion or a chat asks for, checked field by field. What is not honoured is refused by
// name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/engine/answers.h"
#include "server/wire/command.h"

namespace hearth::server {

struct OpenAiRequest {
  bool chat = false;
  std::string model;
  std::vector<Prompt> prompts;  ///< one for a chat; a completion may have several
  Sample sample;                ///< how to continue each of them; its prompt is empty
  bool logprobs = false;        ///< say them; sample.topk_sample_logprobs tells how many of the likely ones beside them
  bool stream = false;
  bool include_usage = false;  ///< at the end of a stream
};

/// Reads the body of /v1/completions or, with `chat`, of /v1/chat/completions. Raises ValueError "FIELD: what is
/// wrong".
OpenAiRequest read_openai_request(std::string_view body, bool chat);

}  // namespace hearth::server
