// Chat template: a conversation as the text that a model was trained on, and which of it the assistant says.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

struct ChatMessage {
  std::string role;  // "system", "user", "assistant", "tool", …
  std::string content;
  std::string fields;  // further fields as the text of a JSON object, e.g. {"tool_calls": […]}; empty: none
};

struct ChatOptions {
  bool add_generation_prompt = false;  // end with what opens the assistant's next message
  std::string variables;  // further variables as the text of a JSON object, e.g. {"enable_thinking": false}
};

/// Bytes [begin, end) of a rendered text.
struct ChatSpan {
  size_t begin = 0, end = 0;
  bool operator==(const ChatSpan&) const = default;
};

/// A conversation for training: its text, and the span of each assistant message in their order. A span begins behind
/// the header that opens the message and includes what ends it (up to and with the eos token where the template writes
/// one).
struct TrainingChat {
  std::string text;
  std::vector<ChatSpan> assistant;
};

class ChatTemplate {
 public:
  /// Parses a Jinja template; an empty one means `default_chat_template`. `tokenizer` gives bos_token, eos_token, … and
  /// `name` goes into the messages. Throws ValueError for broken syntax, NotImplementedError naming a construct outside
  /// the subset. Example: ChatTemplate chat(tokenizer.chat_template(), tokenizer, folder)
  ChatTemplate(std::string_view source, const Tokenizer& tokenizer, std::string name);

  /// The text of `messages`; special tokens are spelled out, so encode it with parse_special and without add_bos.
  /// Throws ValueError where the template raises one, as templates do for an order of roles that they do not know.
  std::string render(std::span<const ChatMessage> messages, const ChatOptions& options = {}) const;

  /// The whole conversation and its assistant spans, found by rendering it up to each assistant message. Throws
  /// ValueError naming the message when the template writes earlier messages differently, so that there are no such
  /// spans.
  TrainingChat render_for_training(std::span<const ChatMessage> messages, const std::string& variables = {}) const;

  /// Whether the model came without a template and the default is used.
  bool is_default() const { return is_default_; }

 private:
  struct Parsed;
  std::shared_ptr<const Parsed> parsed_;
  bool is_default_;
};

/// Loads the template of the tokenizer that was loaded from the same folder.
ChatTemplate load_chat_template(const Tokenizer& tokenizer, const std::filesystem::path& folder);

/// What a model without a template is spoken to in: "User: …\n", "Assistant: …" with the eos token behind each answer.
extern const char default_chat_template[];

}  // namespace hearth::llm
