// Example row: recognising the form of a row by its keys and reading it.
#include "hearth/data/example_row.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/json.h"

namespace hearth {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 5> roles = {"system", "developer", "user", "assistant", "tool"};

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

bool has(const json::object& row, std::string_view key) {
  const json::value* value = row.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && !value->is_null();
}

// Reads keys of one object and remembers which.
class KeyReader {
 public:
  KeyReader(const json::value& value, std::string where) : object_(value, std::move(where)) {}

  bool has(std::string_view key) const { return object_.has(key); }
  const std::string& where() const { return object_.where(); }

  std::string text(std::string_view key) {
    used_.push_back(key);
    return object_.get_string(key);
  }
  std::string text_or_empty(std::string_view key) {
    used_.push_back(key);
    return object_.get_string(key, "");
  }
  const json::array& list(std::string_view key) {
    used_.push_back(key);
    return object_.get_array(key);
  }
  const json::value& value(std::string_view key) {
    used_.push_back(key);
    const json::value* found = object_.find(key);
    check<ValueError>(found != nullptr, where(), ": ", key, ": is missing");
    return *found;
  }
  bool is_list(std::string_view key) const { return has(key) && object_.find(key)->is_array(); }

  void report_unused(const std::string& prefix, std::vector<std::string>& unused) const {
    for (const auto& member : object_.object()) {
      const std::string_view key(member.key().data(), member.key().size());
      if (std::find(used_.begin(), used_.end(), key) != used_.end()) continue;
      std::string name = prefix + std::string(key);
      if (std::find(unused.begin(), unused.end(), name) == unused.end()) unused.push_back(std::move(name));
    }
  }

 private:
  JsonObject object_;
  std::vector<std::string_view> used_;
};

// The content of a message: a text, or a list of parts of which each must be a text.
std::string read_content(const json::value& content, const std::string& where) {
  if (const json::string* text = content.if_string()) return std::string(view(*text));
  const json::array* parts = content.if_array();
  check<ValueError>(parts != nullptr, where, ": content: wants a string, is ", json_kind(content));
  std::string joined;
  for (const json::value& part : *parts) {
    const JsonObject object(part, where + ": content");
    const std::string type = object.get_string("type");
    check<ValueError>(type == "text", where, ": content: only parts of type text are read, is ", type);
    joined += object.get_string("text");
  }
  return joined;
}

std::vector<Message> read_messages(KeyReader& row, std::string_view key, std::vector<std::string>& unused) {
  std::vector<Message> messages;
  const json::array& list = row.list(key);
  check<ValueError>(!list.empty(), row.where(), ": ", key, ": the list of messages is empty");
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string name(key);
    KeyReader message(list[i], row.where() + ": " + name + "[" + std::to_string(i) + "]");
    Message out;
    out.role = message.text("role");
    check<ValueError>(std::find(roles.begin(), roles.end(), out.role) != roles.end(), message.where(),
                      ": role: must be system, developer, user, assistant or tool, is ", out.role.substr(0, 40));
    out.content = read_content(message.value("content"), message.where());
    message.report_unused(name + "[].", unused);
    messages.push_back(std::move(out));
  }
  return messages;
}

std::string read_instruction(KeyReader& row) {
  std::string prompt = row.text("instruction");
  const std::string input = row.text_or_empty("input");
  if (!input.empty()) prompt += "\n\n" + input;
  return prompt;
}

std::string read_prompt(KeyReader& row) {
  if (row.has("instruction") && !row.has("prompt")) return read_instruction(row);
  return row.text(row.has("question") && !row.has("prompt") ? "question" : "prompt");
}

void read_completion(KeyReader& row, Example& example) {
  if (row.has("prompt") && row.has("completion")) {
    example.prompt = row.text("prompt");
    example.completion = row.text("completion");
  } else if (row.has("instruction") && row.has("output")) {
    example.prompt = read_instruction(row);
    example.completion = row.text("output");
  } else {
    example.prompt = row.text("question");
    example.completion = row.text("answer");
  }
}

// Both lists may repeat the prompt at their front: take it off, or find it where the row has none of its own.
void split_prompt(Example& example, bool has_prompt, const std::string& where) {
  auto& chosen = example.chosen_messages;
  auto& rejected = example.rejected_messages;
  size_t common = 0;
  if (has_prompt) {
    const std::vector<Message>& prompt = example.messages;
    const auto begins = [&](const std::vector<Message>& list) {
      return list.size() > prompt.size() && std::equal(prompt.begin(), prompt.end(), list.begin());
    };
    if (begins(chosen) && begins(rejected)) common = prompt.size();
  } else {
    const size_t most = std::min(chosen.size(), rejected.size()) - 1;
    while (common < most && chosen[common] == rejected[common]) ++common;
    check<ValueError>(common > 0, where, ": chosen and rejected have no messages in common and there is no prompt");
    example.messages.assign(chosen.begin(), chosen.begin() + ptrdiff_t(common));
  }
  chosen.erase(chosen.begin(), chosen.begin() + ptrdiff_t(common));
  rejected.erase(rejected.begin(), rejected.begin() + ptrdiff_t(common));
}

void read_preference(KeyReader& row, Example& example, std::vector<std::string>& unused) {
  const bool lists = row.is_list("chosen") || row.is_list("rejected") || row.is_list("prompt");
  if (!lists) {
    example.prompt = read_prompt(row);
    example.chosen = row.text("chosen");
    example.rejected = row.text("rejected");
    return;
  }
  const bool has_prompt = row.has("prompt") || row.has("instruction") || row.has("question");
  if (row.is_list("prompt")) {
    example.messages = read_messages(row, "prompt", unused);
  } else if (has_prompt) {
    example.messages.push_back({"user", read_prompt(row)});
  }
  example.chosen_messages = read_messages(row, "chosen", unused);
  example.rejected_messages = read_messages(row, "rejected", unused);
  split_prompt(example, has_prompt, row.where());
}

}  // namespace

ExampleKind detect_kind(const json::object& row, const std::string& where) {
  if (has(row, "chosen") || has(row, "rejected")) return ExampleKind::preference;
  if (has(row, "messages")) return ExampleKind::chat;
  const bool completion = (has(row, "prompt") && has(row, "completion")) ||
                          (has(row, "instruction") && has(row, "output")) ||
                          (has(row, "question") && has(row, "answer"));
  if (completion) return ExampleKind::completion;
  if (has(row, "text")) return ExampleKind::text;
  std::string keys;
  for (const auto& member : row) {
    if (keys.size() > 200) break;
    keys += (keys.empty() ? "" : ", ") + std::string(view(json::string(member.key())).substr(0, 40));
  }
  fail<ValueError>(where, ": the keys fit no form (messages | prompt, completion | instruction, input, output | ",
                   "question, answer | prompt, chosen, rejected | text): ", keys.empty() ? "none" : keys);
}

Example read_row(const json::value& row, ExampleKind kind, const std::string& where, std::vector<std::string>& unused) {
  Example example;
  KeyReader reader(row, where);
  switch (kind) {
    case ExampleKind::chat:
      example.messages = read_messages(reader, "messages", unused);
      break;
    case ExampleKind::completion:
      read_completion(reader, example);
      break;
    case ExampleKind::preference:
      read_preference(reader, example, unused);
      break;
    case ExampleKind::text:
      example.text = reader.text("text");
      break;
  }
  reader.report_unused("", unused);
  return example;
}

}  // namespace hearth
