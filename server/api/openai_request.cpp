// OpenAI request: reading it from JSON.
#include "server/api/openai_request.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "hearth/core/error.h"
#include "hearth/io/json.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

constexpr int64_t most_choices = 128, most_prompts = 256, most_stops = 16, most_top = 20;

/// A field of the body; absent and null are the same.
const json::value* field(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value && !value->is_null() ? value : nullptr;
}

double number(const json::object& body, std::string_view name, double otherwise, double low, double high) {
  const json::value* value = field(body, name);
  if (!value) return otherwise;
  check<ValueError>(value->is_number(), name, ": wants a number, is ", json_kind(*value));
  double got = value->to_number<double>();
  check<ValueError>(got >= low && got <= high, name, ": wants ", low, " to ", high, ", is ", got);
  return got;
}

std::optional<int64_t> integer(const json::object& body, std::string_view name, int64_t low, int64_t high) {
  const json::value* value = field(body, name);
  if (!value) return {};
  check<ValueError>(value->is_int64(), name, ": wants a whole number, is ", json_kind(*value));
  check<ValueError>(value->get_int64() >= low && value->get_int64() <= high, name, ": wants ", low, " to ", high,
                    ", is ", value->get_int64());
  return value->get_int64();
}

bool flag(const json::object& body, std::string_view name) {
  const json::value* value = field(body, name);
  if (!value) return false;
  check<ValueError>(value->is_bool(), name, ": wants true or false, is ", json_kind(*value));
  return value->get_bool();
}

std::string text(const json::value& value, std::string_view name) {
  check<ValueError>(value.is_string(), name, ": wants text, is ", json_kind(value));
  return std::string(value.get_string().c_str(), value.get_string().size());
}

/// Fields that change nothing where they hold these values, and that cannot be honoured otherwise.
bool is_neutral(std::string_view name, const json::value& value, const json::object& body) {
  if (value.is_null()) return true;
  if (name == "frequency_penalty" || name == "presence_penalty")
    return value.is_number() && value.to_number<double>() == 0;
  if (name == "logit_bias") return value.is_object() && value.get_object().empty();
  if (name == "best_of") return field(body, "n") ? value == body.at("n") : value == 1;
  if (name == "echo" || name == "store") return value.is_bool() && !value.get_bool();
  if (name == "suffix") return value.is_string() && value.get_string().empty();
  if (name == "tools" || name == "functions") return value.is_array() && value.get_array().empty();
  if (name == "tool_choice" || name == "function_call") return value == "none" || value == "auto";
  if (name == "parallel_tool_calls") return value.is_bool();
  if (name == "service_tier") return value == "auto" || value == "default";
  if (name == "response_format")
    return value.is_object() && value.get_object().contains("type") && value.get_object().at("type") == "text";
  if (name == "modalities") return value == json::value(json::array{"text"});
  return false;
}

void check_names(const json::object& body, bool chat) {
  static constexpr std::string_view both[] = {"model", "max_tokens", "temperature",    "top_p",    "n",    "stop",
                                              "seed",  "stream",     "stream_options", "logprobs", "top_k"};
  static constexpr std::string_view only_chat[] = {"messages", "top_logprobs", "max_completion_tokens"};
  // Who asks, for the books of a hosted service: nothing that an answer depends on.
  static constexpr std::string_view unread[] = {"user", "metadata", "safety_identifier", "prompt_cache_key"};
  auto among = [](const auto& list, std::string_view name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
  };
  for (const auto& entry : body) {
    std::string_view name = entry.key();
    if (among(both, name) || among(unread, name)) continue;
    if (chat ? among(only_chat, name) : name == "prompt") continue;
    check<ValueError>(is_neutral(name, entry.value(), body), name, ": is not supported; leave it out");
  }
}

std::vector<int32_t> token_ids(const json::array& list) {
  std::vector<int32_t> ids;
  ids.reserve(list.size());
  for (const json::value& one : list) {
    check<ValueError>(one.is_int64() && one.get_int64() >= 0 && one.get_int64() <= INT32_MAX,
                      "prompt: wants token ids, has ", json::serialize(one));
    ids.push_back(int32_t(one.get_int64()));
  }
  return ids;
}

Prompt prompt_of(const json::value& value) {
  Prompt prompt;
  if (value.is_array())
    prompt.tokens = token_ids(value.get_array());
  else
    prompt.text = text(value, "prompt");
  check<ValueError>(!prompt.tokens.empty() || !prompt.text.empty(), "prompt: is empty");
  return prompt;
}

/// A text, a list of token ids, or a list of either.
std::vector<Prompt> read_prompts(const json::object& body) {
  const json::value* value = field(body, "prompt");
  check<ValueError>(value != nullptr, "prompt: is missing");
  std::vector<Prompt> prompts;
  bool is_list = value->is_array() && !value->get_array().empty() && !value->get_array()[0].is_number();
  if (!is_list) return {prompt_of(*value)};
  check<ValueError>(int64_t(value->get_array().size()) <= most_prompts, "prompt: wants at most ", most_prompts,
                    " prompts, has ", value->get_array().size());
  for (const json::value& one : value->get_array()) prompts.push_back(prompt_of(one));
  return prompts;
}

/// The text of a message: itself, or the texts of its parts.
std::string message_text(const json::value* content) {
  if (!content) return "";
  if (!content->is_array()) return text(*content, "messages: content");
  std::string joined;
  for (const json::value& part : content->get_array()) {
    JsonObject fields(part, "messages: content");
    std::string type = fields.get_string("type");
    check<ValueError>(type == "text", "messages: content: parts of type '", type, "' are not supported, only text");
    joined += fields.get_string("text");
  }
  return joined;
}

Prompt read_messages(const json::object& body) {
  const json::value* value = field(body, "messages");
  check<ValueError>(value && value->is_array() && !value->get_array().empty(),
                    "messages: wants a list with at least one message");
  json::array messages;
  for (const json::value& one : value->get_array()) {
    check<ValueError>(one.is_object(), "messages: wants objects, has ", json_kind(one));
    const json::object& message = one.get_object();
    for (const auto& entry : message)
      check<ValueError>(
          entry.key() == "role" || entry.key() == "content" || entry.key() == "name" || entry.value().is_null(),
          "messages: ", std::string_view(entry.key()), ": is not supported");
    const json::value* role = field(message, "role");
    check<ValueError>(role != nullptr, "messages: role: is missing");
    json::object kept{{"role", text(*role, "messages: role")}, {"content", message_text(field(message, "content"))}};
    if (const json::value* name = field(message, "name")) kept["name"] = text(*name, "messages: name");
    messages.push_back(std::move(kept));
  }
  Prompt prompt;
  prompt.messages = json::serialize(messages);
  return prompt;
}

void read_stops(const json::object& body, Sample& sample) {
  const json::value* value = field(body, "stop");
  if (!value) return;
  if (value->is_string()) {
    sample.stop_texts.push_back(text(*value, "stop"));
  } else {
    check<ValueError>(value->is_array() && int64_t(value->get_array().size()) <= most_stops,
                      "stop: wants a text or at most ", most_stops, " texts");
    for (const json::value& one : value->get_array()) sample.stop_texts.push_back(text(one, "stop"));
  }
  for (const std::string& one : sample.stop_texts) check<ValueError>(!one.empty(), "stop: is an empty text");
}

void read_logprobs(const json::object& body, OpenAiRequest& request) {
  if (request.chat) {
    request.logprobs = flag(body, "logprobs");
    auto top = integer(body, "top_logprobs", 0, most_top);
    check<ValueError>(!top || request.logprobs, "top_logprobs: wants logprobs: true beside it");
    request.sample.topk_sample_logprobs = top.value_or(0);
    return;
  }
  auto top = integer(body, "logprobs", 0, most_top);
  request.logprobs = top.has_value();
  request.sample.topk_sample_logprobs = top.value_or(0);
}

}  // namespace

OpenAiRequest read_openai_request(std::string_view text_of_body, bool chat) {
  json::value value = parse_json(text_of_body, "body");
  check<ValueError>(value.is_object(), "body: wants a JSON object, is ", json_kind(value));
  const json::object& body = value.get_object();
  check_names(body, chat);
  OpenAiRequest request;
  request.chat = chat;
  const json::value* model = field(body, "model");
  check<ValueError>(model != nullptr, "model: is missing");
  request.model = text(*model, "model");
  request.prompts = chat ? std::vector<Prompt>{read_messages(body)} : read_prompts(body);

  Sample& sample = request.sample;
  sample.num_samples = integer(body, "n", 1, most_choices).value_or(1);
  sample.max_tokens = integer(body, "max_tokens", 1, INT32_MAX);
  if (chat && field(body, "max_completion_tokens"))
    sample.max_tokens = integer(body, "max_completion_tokens", 1, INT32_MAX);
  if (!chat && !sample.max_tokens) sample.max_tokens = 16;
  sample.temperature = number(body, "temperature", 1, 0, 1000);
  sample.top_p = number(body, "top_p", 1, 0, 1);
  check<ValueError>(sample.top_p > 0, "top_p: wants more than 0");
  sample.top_k = integer(body, "top_k", -1, INT32_MAX).value_or(-1);
  check<ValueError>(sample.top_k != 0, "top_k: wants -1 or at least 1, is 0");
  if (auto seed = integer(body, "seed", INT64_MIN, INT64_MAX)) sample.seed = uint64_t(*seed);
  read_stops(body, sample);
  read_logprobs(body, request);
  request.stream = flag(body, "stream");
  if (const json::value* options = field(body, "stream_options")) {
    check<ValueError>(request.stream, "stream_options: wants stream: true beside it");
    JsonObject fields(*options, "stream_options");
    request.include_usage = fields.get_bool("include_usage", false);
    for (const auto& entry : fields.object())
      check<ValueError>(entry.key() == "include_usage" || entry.key() == "include_obfuscation",
                        "stream_options: ", std::string_view(entry.key()), ": is not supported");
  }
  return request;
}

}  // namespace hearth::server
