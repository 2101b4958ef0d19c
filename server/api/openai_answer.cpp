// OpenAI answer: the shapes that OpenAI's clients read.
#include "server/api/openai_answer.h"

#include <sodium.h>

#include <boost/json.hpp>
#include <cmath>

#include "server/api/reply.h"
#include "server/api/text_assembly.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

std::string random_id() {
  unsigned char bytes[12];
  randombytes_buf(bytes, sizeof bytes);
  char text[2 * sizeof bytes + 1];
  return sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
}

/// JSON has no infinities: an impossible token's log-probability is said as a very small one.
double said(float logprob) { return std::isfinite(logprob) ? double(logprob) : -9999.0; }

json::value token_json(const LikelyToken& token) {
  json::array bytes;
  for (unsigned char byte : token.piece) bytes.push_back(byte);
  return {{"token", whole_utf8(token.piece)}, {"logprob", said(token.logprob)}, {"bytes", std::move(bytes)}};
}

json::value chat_logprobs(const Choice& choice) {
  json::array content;
  for (const ToldToken& told : choice.told) {
    json::value one = token_json(told.token);
    json::array top;
    for (const LikelyToken& likely : told.top) top.push_back(token_json(likely));
    one.get_object()["top_logprobs"] = std::move(top);
    content.push_back(std::move(one));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json::value completion_logprobs(const Choice& choice) {
  json::array tokens, values, tops, offsets;
  for (const ToldToken& told : choice.told) {
    tokens.push_back(json::value(whole_utf8(told.token.piece)));
    values.push_back(said(told.token.logprob));
    offsets.push_back(told.offset);
    json::object top;
    for (const LikelyToken& likely : told.top)
      if (std::string name = whole_utf8(likely.piece); !top.contains(name)) top[name] = said(likely.logprob);
    tops.push_back(std::move(top));
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(values)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

json::value logprobs_json(const AnswerHead& head, const Choice& choice, bool logprobs) {
  if (!logprobs) return nullptr;
  return head.chat ? chat_logprobs(choice) : completion_logprobs(choice);
}

const char* reason(const Choice& choice) { return choice.stopped ? "stop" : "length"; }

json::object frame(const AnswerHead& head, const char* object) {
  return {{"id", head.id}, {"object", object}, {"created", head.created}, {"model", head.model}};
}

}  // namespace

AnswerHead::AnswerHead(const OpenAiRequest& request)
    : id((request.chat ? "chatcmpl-" : "cmpl-") + random_id()),
      model(request.model),
      created(time_now() / second),
      chat(request.chat) {}

json::value usage_json(const TokenCounts& counts) {
  return {{"prompt_tokens", counts.prompt},
          {"completion_tokens", counts.completion},
          {"total_tokens", counts.prompt + counts.completion},
          {"prompt_tokens_details", {{"cached_tokens", counts.cached}}}};
}

json::value whole_answer(const AnswerHead& head, const std::vector<Choice>& choices, const TokenCounts& counts,
                         bool logprobs) {
  json::array list;
  for (const Choice& choice : choices) {
    json::object one{{"index", choice.index}};
    if (head.chat)
      one["message"] = {{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}};
    else
      one["text"] = choice.text;
    one["logprobs"] = logprobs_json(head, choice, logprobs);
    one["finish_reason"] = reason(choice);
    list.push_back(std::move(one));
  }
  json::object answer = frame(head, head.chat ? "chat.completion" : "text_completion");
  answer["choices"] = std::move(list);
  answer["usage"] = usage_json(counts);
  return answer;
}

json::value piece_answer(const AnswerHead& head, const Choice& choice, bool first, bool last, bool logprobs) {
  json::object one{{"index", choice.index}};
  if (head.chat) {
    json::object delta;
    if (first) delta["role"] = "assistant";
    if (first || !choice.text.empty()) delta["content"] = choice.text;
    one["delta"] = std::move(delta);
  } else {
    one["text"] = choice.text;
  }
  one["logprobs"] = choice.told.empty() ? json::value(nullptr) : logprobs_json(head, choice, logprobs);
  one["finish_reason"] = last ? json::value(reason(choice)) : json::value(nullptr);
  json::object answer = frame(head, head.chat ? "chat.completion.chunk" : "text_completion");
  answer["choices"] = json::array{std::move(one)};
  return answer;
}

json::value usage_answer(const AnswerHead& head, const TokenCounts& counts) {
  json::object answer = frame(head, head.chat ? "chat.completion.chunk" : "text_completion");
  answer["choices"] = json::array();
  answer["usage"] = usage_json(counts);
  return answer;
}

json::value error_value(int status, const std::string& message) {
  const char* type = status == 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";
  json::value code = status == 404 ? json::value("model_not_found") : json::value(nullptr);
  // Our messages begin with the field that they are about.
  size_t colon = message.find(':');
  bool names = status == 400 && colon != std::string::npos && message.find(' ') > colon;
  json::value param = names ? json::value(message.substr(0, colon)) : json::value(nullptr);
  return {{"error", {{"message", message}, {"type", type}, {"param", param}, {"code", code}}}};
}

Response openai_error(int status, const std::string& message) {
  return json_answer(error_value(status, message), status);
}

}  // namespace hearth::server
