// Side files: what tokenizer_config.json and its older neighbours add to a tokenizer.
#include <algorithm>

#include "hearth/core/error.h"
#include "llm/tokenizer/json_fields.h"
#include "llm/tokenizer/tokenizer_parts.h"

namespace hearth::llm {

namespace {

namespace json = boost::json;

bool is_added(const TokenizerParts& parts, int32_t id, std::string_view content) {
  return std::any_of(parts.added.begin(), parts.added.end(),
                     [&](const AddedToken& a) { return a.id == id && a.content == content; });
}

// What the tokenizer's main file says about an added token stays.
void add_unless_known(AddedToken token, TokenizerParts& parts) {
  if (!is_added(parts, token.id, token.content)) parts.add_token(std::move(token));
}

int32_t id_from_key(std::string_view key, const std::string& where) {
  int64_t id = 0;
  const bool digits = !key.empty() && key.size() < 10 &&
                      std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
  check<ValueError>(digits, where, ": \"", key, "\" is no token id");
  for (const char c : key) id = id * 10 + (c - '0');
  return static_cast<int32_t>(id);
}

void read_added_tokens_decoder(const JsonFields& config, TokenizerParts& parts) {
  if (!config.find("added_tokens_decoder")) return;
  const JsonFields tokens = config.child("added_tokens_decoder");
  std::vector<AddedToken> found;
  for (const auto& entry : tokens.object()) {
    const JsonFields fields(entry.value(), tokens.where());
    AddedToken token;
    token.id = id_from_key(std::string_view(entry.key().data(), entry.key().size()), tokens.where());
    token.content = fields.text("content");
    token.special = fields.flag_or("special", false);
    token.lstrip = fields.flag_or("lstrip", false);
    token.rstrip = fields.flag_or("rstrip", false);
    token.single_word = fields.flag_or("single_word", false);
    token.normalized = fields.flag_or("normalized", !token.special);
    found.push_back(std::move(token));
  }
  // By id, so that each lies at most just behind the vocabulary that is there already.
  std::sort(found.begin(), found.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  for (AddedToken& token : found) add_unless_known(std::move(token), parts);
}

void read_added_tokens_file(const std::string& text, const std::string& name, TokenizerParts& parts) {
  const json::value value = parse_json(text, name);
  std::vector<AddedToken> found;
  for (const auto& entry : JsonFields(value, name).object()) {
    check<ValueError>(
        entry.value().is_int64() && entry.value().get_int64() >= 0 && entry.value().get_int64() < INT32_MAX, name,
        ": \"", std::string_view(entry.key()), "\" should have a token id");
    found.push_back({static_cast<int32_t>(entry.value().get_int64()), std::string(entry.key())});
  }
  std::sort(found.begin(), found.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  for (AddedToken& token : found) {
    const bool known =
        std::any_of(parts.added.begin(), parts.added.end(), [&](const AddedToken& a) { return a.id == token.id; });
    if (!known || !is_added(parts, token.id, token.content)) parts.add_token(std::move(token));
  }
}

// "bos_token": "<s>" or {"content": "<s>", …}; empty when absent or null.
std::string token_text(const JsonFields& fields, std::string_view key) {
  const json::value* value = fields.find(key);
  if (!value) return {};
  return value->is_object() ? fields.child(key).text("content") : fields.text(key);
}

// A special token that lies in the vocabulary as an ordinary entry is cut out of texts like the others.
int32_t make_special(const std::string& content, TokenizerParts& parts) {
  const int32_t id = parts.find(content);
  if (id < 0) return id;
  for (AddedToken& token : parts.added) {
    if (token.id != id) continue;
    token.special = true;
    return id;
  }
  parts.add_token({id, content, true});
  return id;
}

void set_special(const JsonFields& fields, std::string_view key, std::optional<int32_t>& id, TokenizerParts& parts) {
  const std::string content = token_text(fields, key);
  if (content.empty()) {
    // An explicit null overrides; a missing key leaves what the main file says.
    if (fields.object().contains(key) && !fields.find(key)) id.reset();
    return;
  }
  const int32_t found = make_special(content, parts);
  // hearth never pads, so a padding token without an id does no harm.
  check<ValueError>(found >= 0 || key == "pad_token", fields.where(), ": ", key, " \"", content,
                    "\" is not in the vocabulary");
  if (found >= 0) id = found;
}

void read_special_tokens(const JsonFields& fields, TokenizerParts& parts) {
  set_special(fields, "bos_token", parts.bos, parts);
  set_special(fields, "eos_token", parts.eos, parts);
  set_special(fields, "pad_token", parts.pad, parts);
  set_special(fields, "unk_token", parts.unk, parts);
  if (!fields.find("additional_special_tokens")) return;
  for (const json::value& token : fields.list("additional_special_tokens")) {
    const bool is_text = token.is_string();
    check<ValueError>(is_text || token.is_object(), fields.where(), ": additional_special_tokens should be strings");
    const std::string content =
        is_text ? std::string(token.get_string()) : JsonFields(token, fields.where()).text("content");
    check<ValueError>(make_special(content, parts) >= 0, fields.where(), ": special token \"", content,
                      "\" is not in the vocabulary");
  }
}

void read_chat_template(const JsonFields& config, TokenizerParts& parts) {
  const json::value* value = config.find("chat_template");
  if (!value) return;
  if (!value->is_array()) {
    parts.chat_template = config.text("chat_template");
    return;
  }
  for (const json::value& item : value->get_array()) {
    const JsonFields choice(item, config.where() + ": chat_template");
    if (choice.text("name") == "default") parts.chat_template = choice.text("template");
  }
  check<NotImplementedError>(!parts.chat_template.empty(), config.where(),
                             ": chat_template: a list without one named \"default\" is not supported");
}

// Common files without any word about special tokens (a lone tokenizer.json) still mark them as special.
void guess_special_tokens(TokenizerParts& parts) {
  const auto id_of_special = [&](std::string_view content) -> std::optional<int32_t> {
    for (const AddedToken& token : parts.added)
      if (token.special && token.content == content) return token.id;
    return std::nullopt;
  };
  if (!parts.bos) parts.bos = id_of_special("<s>");
  if (!parts.eos) parts.eos = id_of_special("</s>");
  if (!parts.eos) parts.eos = id_of_special("<|endoftext|>");
}

void settle_affixes(const JsonFields* config, TokenizerParts& parts) {
  if (parts.prefix.size() == 1 && !parts.bos) parts.bos = parts.prefix[0];
  if (parts.suffix.size() == 1 && !parts.eos) parts.eos = parts.suffix[0];
  if (parts.prefix.empty() && parts.bos) parts.prefix = {*parts.bos};
  if (parts.suffix.empty() && parts.eos) parts.suffix = {*parts.eos};
  if (config) {
    parts.wants_bos = config->flag_or("add_bos_token", parts.wants_bos);
    parts.wants_eos = config->flag_or("add_eos_token", parts.wants_eos);
  }
  parts.wants_bos = parts.wants_bos && !parts.prefix.empty();
  parts.wants_eos = parts.wants_eos && !parts.suffix.empty();
}

}  // namespace

void apply_side_files(const TokenizerSideFiles& files, const std::string& folder, TokenizerParts& parts) {
  if (!files.added_tokens.empty()) read_added_tokens_file(files.added_tokens, folder + "/added_tokens.json", parts);
  std::optional<json::value> config_value;
  std::optional<JsonFields> config;
  if (!files.config.empty()) {
    const std::string name = folder + "/tokenizer_config.json";
    config_value = parse_json(files.config, name);
    config.emplace(*config_value, name);
    check<NotImplementedError>(!config->flag_or("split_special_tokens", false), name,
                               ": split_special_tokens is not supported");
    read_added_tokens_decoder(*config, parts);
    read_chat_template(*config, parts);
  }
  if (!files.special_tokens_map.empty()) {
    const std::string name = folder + "/special_tokens_map.json";
    const json::value value = parse_json(files.special_tokens_map, name);
    read_special_tokens(JsonFields(value, name), parts);
  }
  if (config) read_special_tokens(*config, parts);
  if (!config && files.special_tokens_map.empty()) guess_special_tokens(parts);
  if (!files.chat_template.empty()) parts.chat_template = files.chat_template;
  settle_affixes(config ? &*config : nullptr, parts);
}

VocabMergesOptions vocab_merges_options(std::string_view text, const std::string& folder) {
  if (text.empty()) return {};
  const std::string name = folder + "/tokenizer_config.json";
  const json::value value = parse_json(text, name);
  const JsonFields config(value, name);
  return {config.text_or("tokenizer_class", ""), config.flag_or("add_prefix_space", false)};
}

}  // namespace hearth::llm
