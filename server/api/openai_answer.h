// OpenAI answer: completions, chats and their streamed pieces as JSON.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "server/api/openai_request.h"
#include "server/engine/answers.h"
#include "server/http/response.h"

namespace hearth::server {

/// What every answer to one request repeats.
struct AnswerHead {
  explicit AnswerHead(const OpenAiRequest& request);
  std::string id, model;
  int64_t created = 0;  ///< seconds since 1970
  bool chat = false;
};

/// A token whose log-probability is told; `offset` is where it begins in the text.
struct ToldToken {
  LikelyToken token;
  std::vector<LikelyToken> top;
  int64_t offset = 0;
};

/// One continuation that is complete.
struct Choice {
  int64_t index = 0;
  std::string text;
  bool stopped = false;
  std::vector<ToldToken> told;  ///< empty where log-probabilities were not asked for
};

struct TokenCounts {
  int64_t prompt = 0, completion = 0, cached = 0;
};

boost::json::value usage_json(const TokenCounts& counts);
/// The answer without streaming.
boost::json::value whole_answer(const AnswerHead& head, const std::vector<Choice>& choices, const TokenCounts& counts,
                                bool logprobs);
/// A piece of a stream: `choice.text` is what is new; with `first`, a chat says who speaks; with `last`, why it ended.
boost::json::value piece_answer(const AnswerHead& head, const Choice& choice, bool first, bool last, bool logprobs);
/// The end of a stream that tells what was used.
boost::json::value usage_answer(const AnswerHead& head, const TokenCounts& counts);

/// {"error": {"message", "type", "param", "code"}}
boost::json::value error_value(int status, const std::string& message);
Response openai_error(int status, const std::string& message);

}  // namespace hearth::server
