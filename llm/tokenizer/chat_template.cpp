// Chat template: a conversation as the text that a model was trained on, and which of it the assistant says.
#include "llm/tokenizer/chat_template.h"

#include <algorithm>

#include "hearth/core/error.h"
#include "llm/tokenizer/jinja_interpreter.h"
#include "llm/tokenizer/jinja_parser.h"
#include "llm/tokenizer/json_fields.h"

namespace hearth::llm {

const char default_chat_template[] =
    "{%- for message in messages -%}"
    "{{ message.role | capitalize }}: {{ message.content | trim }}"
    "{%- if message.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt %}Assistant:{% endif %}";

namespace {

using jinja::Value;
namespace json = boost::json;

Value value_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return Value();
    case json::kind::bool_:
      return Value::boolean(value.get_bool());
    case json::kind::int64:
      return Value::integer(value.get_int64());
    case json::kind::uint64:
      return Value::real(static_cast<double>(value.get_uint64()));
    case json::kind::double_:
      return Value::real(value.get_double());
    case json::kind::string:
      return Value::text(std::string(value.get_string()));
    case json::kind::array: {
      std::vector<Value> items;
      for (const json::value& item : value.get_array()) items.push_back(value_of(item));
      return Value::list(std::move(items));
    }
    case json::kind::object:
      break;
  }
  std::vector<std::pair<std::string, Value>> items;
  for (const auto& item : value.get_object()) items.emplace_back(std::string(item.key()), value_of(item.value()));
  return Value::dict(std::move(items));
}

// The fields of a JSON object on top of `dict`.
void add_fields(const std::string& text, const std::string& name, jinja::Dict& dict) {
  if (text.empty()) return;
  const json::value value = parse_json(text, name);
  for (const auto& item : JsonFields(value, name).object()) dict.set(std::string(item.key()), value_of(item.value()));
}

Value message_value(const ChatMessage& message) {
  jinja::Dict dict;
  dict.set("role", Value::text(message.role));
  dict.set("content", Value::text(message.content));
  add_fields(message.fields, "chat message: fields", dict);
  return Value::dict(std::move(dict.items));
}

std::string spelled(const Tokenizer& tokenizer, std::optional<int32_t> id) {
  return id ? tokenizer.id_to_token(*id) : std::string();
}

// Depth of the tree, so that running and freeing it cannot overflow the stack; the parser's own limits keep this walk
// short.
int depth_of(const jinja::Node& node) {
  int depth = 0;
  for (const jinja::NodePtr& kid : node.kids)
    if (kid) depth = std::max(depth, depth_of(*kid));
  return depth + 1;
}

constexpr int tree_depth_limit = 300;

// Where the turn that `alone` writes as the last one stands at the start of `rest`: a template may leave out the
// beginning (its thinking) once others follow, but what is left must be the same. Returns its length in `rest`, or
// npos.
size_t length_of_turn(std::string_view alone, std::string_view rest, std::string_view content) {
  while (!content.empty() && static_cast<unsigned char>(content.back()) <= ' ') content.remove_suffix(1);
  // The last word must survive, or a mere newline at the end would pass for the turn.
  const std::string_view last_words = content.substr(content.find_last_of(" \t\r\n>") + 1);
  for (size_t skip = 0; skip < alone.size(); ++skip) {
    if (alone[skip] != rest.substr(0, 1).front()) continue;
    const std::string_view left = alone.substr(skip);
    if (rest.starts_with(left)) return left.find(last_words) == left.npos ? rest.npos : left.size();
  }
  return rest.npos;
}

}  // namespace

struct ChatTemplate::Parsed {
  jinja::NodePtr root;
  std::string name, bos, eos, pad, unk;
};

ChatTemplate::ChatTemplate(std::string_view source, const Tokenizer& tokenizer, std::string name)
    : is_default_(source.empty()) {
  auto parsed = std::make_shared<Parsed>();
  parsed->name = std::move(name) + ": chat template";
  if (source.empty()) source = default_chat_template;
  parsed->root = jinja::Parser(jinja::tokenize(source, parsed->name), parsed->name).parse();
  check<ValueError>(depth_of(*parsed->root) <= tree_depth_limit, parsed->name, ": nested too deeply");
  parsed->bos = spelled(tokenizer, tokenizer.bos_id());
  parsed->eos = spelled(tokenizer, tokenizer.eos_id());
  parsed->pad = spelled(tokenizer, tokenizer.pad_id());
  parsed->unk = spelled(tokenizer, tokenizer.unk_id());
  parsed_ = std::move(parsed);
}

std::string ChatTemplate::render(std::span<const ChatMessage> messages, const ChatOptions& options) const {
  std::vector<Value> list;
  for (const ChatMessage& message : messages) list.push_back(message_value(message));
  jinja::Dict variables;
  variables.set("messages", Value::list(std::move(list)));
  variables.set("add_generation_prompt", Value::boolean(options.add_generation_prompt));
  variables.set("tools", Value());
  variables.set("documents", Value());
  // A token that the model lacks is an undefined name, as templates test for.
  for (const auto& [key, token] : {std::pair("bos_token", &parsed_->bos), std::pair("eos_token", &parsed_->eos),
                                   std::pair("pad_token", &parsed_->pad), std::pair("unk_token", &parsed_->unk)})
    if (!token->empty()) variables.set(key, Value::text(*token));
  add_fields(options.variables, "chat template: variables", variables);
  jinja::Interpreter interpreter(*parsed_->root, parsed_->name);
  return interpreter.run(Value::dict(std::move(variables.items)));
}

TrainingChat ChatTemplate::render_for_training(std::span<const ChatMessage> messages,
                                               const std::string& variables) const {
  TrainingChat chat{render(messages, {false, variables}), {}};
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role != "assistant") continue;
    const std::string opening = render(messages.first(i), {true, variables});
    check<ValueError>(chat.text.starts_with(opening) && chat.text.size() > opening.size(), parsed_->name, ": message ",
                      i, " (assistant): the text before it changes with what follows, so its place is unknown");
    const std::string until = render(messages.first(i + 1), {false, variables});
    check<ValueError>(until.starts_with(opening), parsed_->name, ": message ", i,
                      " (assistant): the template does not write it behind the generation prompt");
    const std::string_view rest = std::string_view(chat.text).substr(opening.size());
    const size_t length = length_of_turn(std::string_view(until).substr(opening.size()), rest, messages[i].content);
    check<ValueError>(length != rest.npos, parsed_->name, ": message ", i,
                      " (assistant): the template writes it differently once others follow");
    ChatSpan span{opening.size(), opening.size() + length};
    // White space behind the token that ends the turn is never sampled.
    const std::string_view turn = rest.substr(0, length);
    const size_t eos = parsed_->eos.empty() ? turn.npos : turn.rfind(parsed_->eos);
    if (eos != turn.npos && turn.find_first_not_of(" \t\r\n", eos + parsed_->eos.size()) == turn.npos)
      span.end = span.begin + eos + parsed_->eos.size();
    chat.assistant.push_back(span);
  }
  return chat;
}

ChatTemplate load_chat_template(const Tokenizer& tokenizer, const std::filesystem::path& folder) {
  return ChatTemplate(tokenizer.chat_template(), tokenizer, folder.string());
}

}  // namespace hearth::llm
