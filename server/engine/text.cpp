// Text: chat messages are a JSON list of {role, content}; content may be a list of {type: text, text}.
#include "server/engine/text.h"

#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "hearth/io/json.h"
#include "llm/tokenizer/chat_template.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::server {
namespace {

std::string content_of(const JsonObject& message, size_t index) {
  const auto* content = message.find("content");
  if (!content) return {};
  if (const auto* text = content->if_string()) return {text->data(), text->size()};
  const auto* parts = content->if_array();
  check<ValueError>(parts, "messages: content of message ", index, " wants a text, is ", json_kind(*content));
  std::string all;
  for (const auto& part : *parts) {
    const JsonObject object(part, message.where() + ".content");
    const std::string type = object.get_string("type");
    check<ValueError>(type == "text", "messages: content of message ", index, " has a part that is no text: ", type);
    all += object.get_string("text");
  }
  return all;
}

std::vector<llm::ChatMessage> chat_messages(const std::string& text) {
  const auto parsed = parse_json(text, "messages");
  const auto* list = parsed.if_array();
  check<ValueError>(list && !list->empty(), "messages: wants a list of messages");
  std::vector<llm::ChatMessage> messages;
  for (size_t i = 0; i < list->size(); ++i) {
    const JsonObject object((*list)[i], "messages[" + std::to_string(i) + "]");
    llm::ChatMessage message{object.get_string("role"), content_of(object, i), {}};
    boost::json::object further = object.object();
    further.erase("role");
    further.erase("content");
    if (!further.empty()) message.fields = boost::json::serialize(further);
    messages.push_back(std::move(message));
  }
  return messages;
}

const llm::Tokenizer& tokenizer_of(const Base& base) {
  check<ValueError>(base.tokenizer.get(), "text: the model has no tokenizer: ", base.served.name);
  return *base.tokenizer;
}

}  // namespace

std::vector<int32_t> prompt_tokens(const Base& base, const Prompt& prompt, const std::vector<int32_t>& tokens) {
  llm::EncodeOptions options;
  if (!prompt.messages.empty()) {
    const auto chat = llm::load_chat_template(tokenizer_of(base), llm::tokenizer_folder(base.served.folder));
    llm::ChatOptions chat_options;
    chat_options.add_generation_prompt = true;
    options.parse_special = true;
    options.add_bos = false;
    return tokenizer_of(base).encode(chat.render(chat_messages(prompt.messages), chat_options), options);
  }
  if (!prompt.text.empty()) {
    options.add_bos = tokenizer_of(base).wants_bos();
    return tokenizer_of(base).encode(prompt.text, options);
  }
  return prompt.tokens.empty() ? tokens : prompt.tokens;
}

std::string token_text(const Base& base, int32_t token) {
  if (!base.tokenizer || base.tokenizer->is_special(token)) return {};
  return std::string(base.tokenizer->token_bytes(token));
}

StreamEnd stream_end(const Base& base, const llm::SampleResult& result, int64_t prompt_tokens) {
  StreamEnd end;
  end.prompt_tokens = prompt_tokens;
  end.cached_tokens = result.cached_tokens;
  for (const auto& sequence : result.sequences) {
    StreamEnd::Choice choice;
    choice.text = sequence.text;
    choice.stopped = sequence.reason == llm::FinishReason::stop;
    choice.tokens = sequence.tokens;
    choice.logprobs = sequence.logprobs;
    for (const int32_t token : sequence.tokens) choice.pieces.push_back(token_text(base, token));
    for (size_t row = 0; sequence.top.k && row < sequence.tokens.size(); ++row) {
      std::vector<LikelyToken> likely;
      for (int64_t j = 0; j < sequence.top.k; ++j) {
        const size_t cell = row * sequence.top.k + j;
        likely.push_back(
            {sequence.top.tokens[cell], sequence.top.logprobs[cell], token_text(base, sequence.top.tokens[cell])});
      }
      choice.top.push_back(std::move(likely));
    }
    end.choices.push_back(std::move(choice));
  }
  return end;
}

}  // namespace hearth::server
