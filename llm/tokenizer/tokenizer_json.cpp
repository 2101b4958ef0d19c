// tokenizer.json: the one-file format of Hugging Face tokenizers, as far as BPE models use it.
#include "hearth/core/error.h"
#include "llm/tokenizer/bpe_files.h"
#include "llm/tokenizer/json_fields.h"
#include "llm/tokenizer/json_pipeline.h"
#include "llm/tokenizer/scored_bpe.h"
#include "llm/tokenizer/tokenizer_parts.h"

namespace hearth::llm {

namespace {

namespace json = boost::json;

std::vector<MergeText> read_merges(const JsonFields& model) {
  std::vector<MergeText> merges;
  for (const json::value& merge : model.list("merges")) {
    if (merge.is_string()) {
      merges.push_back(split_merge(merge.get_string(), merges.size(), model.where()));
      continue;
    }
    const json::array* pair = merge.if_array();
    check<ValueError>(pair && pair->size() == 2 && (*pair)[0].is_string() && (*pair)[1].is_string(), model.where(),
                      ": merge ", merges.size(), " is not two tokens");
    merges.emplace_back((*pair)[0].get_string(), (*pair)[1].get_string());
  }
  return merges;
}

void refuse_unsupported_model(const JsonFields& model) {
  const std::string type = model.text_or("type", model.find("merges") ? "BPE" : "(none)");
  check<NotImplementedError>(type == "BPE", model.where(), ": type ", type, " is not supported");
  model.expect_only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                     "byte_fallback", "ignore_merges", "vocab", "merges"});
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    check<NotImplementedError>(model.text_or(key, "").empty(), model.where(), ": ", key, " is not supported");
  const json::value* dropout = model.find("dropout");
  check<NotImplementedError>(!dropout || (dropout->is_number() && dropout->to_number<double>() == 0), model.where(),
                             ": dropout is not supported");
}

void read_model(const JsonFields& model, bool byte_level, TokenizerParts& parts) {
  refuse_unsupported_model(model);
  parts.tokens = read_vocabulary(model.child("vocab").object(), model.where() + ": vocab");
  BpeOptions options;
  options.byte_level = byte_level;
  options.ignore_merges = model.flag_or("ignore_merges", false);
  options.byte_fallback = model.flag_or("byte_fallback", false);
  options.fuse_unk = model.flag_or("fuse_unk", false);
  if (const std::string unk = model.text_or("unk_token", ""); !unk.empty()) {
    options.unk_id = parts.find(unk);
    check<ValueError>(options.unk_id >= 0, model.where(), ": unk_token \"", unk, "\" is not in the vocabulary");
    parts.unk = options.unk_id;
  }
  build_bpe(read_merges(model), options, model.where(), parts);
}

// What a chain of decoders does to one token, and to the text as a whole.
struct DecoderRules {
  bool byte_level = false, byte_fallback = false, fused = false;
  std::vector<std::pair<std::string, std::string>> replacements;
  int spaces_to_strip = 0;
};

void read_strip(const JsonFields& fields, DecoderRules& rules) {
  fields.expect_only({"type", "content", "start", "stop"});
  const int64_t start = fields.integer("start");
  // Without Fuse every token would be stripped by itself.
  check<NotImplementedError>(rules.fused && fields.text("content") == " " && fields.integer("stop") == 0 &&
                                 start >= 0 && start < 256 && rules.spaces_to_strip == 0,
                             fields.where(), ": Strip other than of spaces at the start, after Fuse, is not supported");
  rules.spaces_to_strip = static_cast<int>(start);
}

void read_metaspace_decoder(const JsonFields& fields, DecoderRules& rules) {
  fields.expect_only({"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"});
  rules.replacements.emplace_back(fields.text_or("replacement", "\u2581"), " ");
  const bool adds = fields.flag_or("add_prefix_space", true);
  if (fields.text_or("prepend_scheme", adds ? "always" : "never") != "never") rules.spaces_to_strip = 1;
}

void read_decoder(const json::value& value, const std::string& where, DecoderRules& rules) {
  const JsonFields fields(value, where);
  const std::string type = fields.text("type");
  if (type == "ByteLevel") {
    fields.expect_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    rules.byte_level = true;
  } else if (type == "ByteFallback") {
    fields.expect_only({"type"});
    rules.byte_fallback = true;
  } else if (type == "Fuse") {
    fields.expect_only({"type"});
    rules.fused = true;
  } else if (type == "Replace") {
    fields.expect_only({"type", "pattern", "content"});
    check<NotImplementedError>(!rules.fused, where, ": Replace after Fuse is not supported");
    rules.replacements.emplace_back(fields.child("pattern").text("String"), fields.text("content"));
  } else if (type == "Strip") {
    read_strip(fields, rules);
  } else if (type == "Metaspace") {
    read_metaspace_decoder(fields, rules);
  } else if (type == "Sequence") {
    fields.expect_only({"type", "decoders"});
    for (const json::value& step : fields.list("decoders")) read_decoder(step, where, rules);
  } else {
    fail<NotImplementedError>(where, ": ", type, " is not supported");
  }
}

std::string replace_all(std::string text, const std::string& from, const std::string& to, const std::string& where) {
  check<ValueError>(!from.empty(), where, ": Replace: the pattern is empty");
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    check<ValueError>(text.size() < (1 << 20), where, ": Replace makes a token longer than 1 MiB");
  }
  return text;
}

void apply_decoder(const DecoderRules& rules, const std::string& where, TokenizerParts& parts) {
  if (rules.byte_level) {
    decode_byte_level(parts);
    return;
  }
  parts.bytes = parts.tokens;
  for (std::string& bytes : parts.bytes) {
    const int byte = rules.byte_fallback ? byte_piece_value(bytes) : -1;
    for (const auto& [from, to] : rules.replacements) bytes = replace_all(std::move(bytes), from, to, where);
    if (byte >= 0) bytes.assign(1, static_cast<char>(byte));
  }
  parts.spaces_to_strip = rules.spaces_to_strip;
}

void read_template(const JsonFields& fields, TokenizerParts& parts) {
  fields.expect_only({"type", "single", "pair", "special_tokens"});  // pairs of texts are never encoded
  bool before = true;
  for (const json::value& item : fields.list("single")) {
    const JsonFields step(item, fields.where());
    step.expect_only({"SpecialToken", "Sequence"});
    if (step.find("Sequence")) {
      check<NotImplementedError>(before && step.child("Sequence").text("id") == "A", fields.where(),
                                 ": a template with other texts than one A is not supported");
      before = false;
      continue;
    }
    const JsonFields special = fields.child("special_tokens").child(step.child("SpecialToken").text("id"));
    for (const json::value& id : special.list("ids")) {
      check<ValueError>(id.is_int64() && id.get_int64() >= 0 && id.get_int64() < INT32_MAX, special.where(),
                        ": ids should be token ids");
      (before ? parts.prefix : parts.suffix).push_back(static_cast<int32_t>(id.get_int64()));
    }
  }
}

void read_post_processor(const json::value& value, const std::string& where, TokenizerParts& parts) {
  const JsonFields fields(value, where);
  const std::string type = fields.text("type");
  if (type == "ByteLevel") return;  // moves offsets only, which hearth does not report
  if (type == "TemplateProcessing") {
    check<NotImplementedError>(parts.prefix.empty() && parts.suffix.empty(), where,
                               ": two templates are not supported");
    read_template(fields, parts);
  } else if (type == "Sequence") {
    fields.expect_only({"type", "processors"});
    for (const json::value& step : fields.list("processors")) read_post_processor(step, where, parts);
  } else {
    fail<NotImplementedError>(where, ": ", type, " is not supported");
  }
}

void read_added_tokens(const JsonFields& root, TokenizerParts& parts) {
  if (!root.find("added_tokens")) return;
  std::vector<AddedToken> tokens;
  for (const json::value& value : root.list("added_tokens")) {
    const JsonFields fields(value, root.where() + ": added_tokens");
    fields.expect_only({"id", "content", "special", "lstrip", "rstrip", "single_word", "normalized"});
    AddedToken token;
    const int64_t id = fields.integer("id");
    check<ValueError>(id >= 0 && id < INT32_MAX, fields.where(), ": id ", id, " is no token id");
    token.id = static_cast<int32_t>(id);
    token.content = fields.text("content");
    token.special = fields.flag_or("special", false);
    token.lstrip = fields.flag_or("lstrip", false);
    token.rstrip = fields.flag_or("rstrip", false);
    token.single_word = fields.flag_or("single_word", false);
    token.normalized = fields.flag_or("normalized", !token.special);
    tokens.push_back(std::move(token));
  }
  for (AddedToken& token : tokens) parts.add_token(std::move(token));
}

}  // namespace

TokenizerParts read_tokenizer_json(std::string_view text, const std::string& name) {
  const json::value value = parse_json(text, name);
  const JsonFields root(value, name);
  // Truncation and padding are wishes of the program that saved the file; every caller states its own.
  root.expect_only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
                    "decoder", "model"});
  TokenizerParts parts;
  parts.name = name;
  if (const json::value* v = root.find("normalizer")) read_normalizer(*v, name + ": normalizer", parts.normalizer);
  bool byte_level = false;
  if (const json::value* v = root.find("pre_tokenizer"))
    read_pre_tokenizer(*v, name + ": pre_tokenizer", parts.pre_tokenizer, byte_level);
  read_model(root.child("model"), byte_level, parts);
  DecoderRules rules;
  check<NotImplementedError>(root.find("decoder") != nullptr, name,
                             ": decoder: none, which joins tokens by spaces, is not supported");
  read_decoder(*root.find("decoder"), name + ": decoder", rules);
  apply_decoder(rules, name + ": decoder", parts);
  read_added_tokens(root, parts);
  if (const json::value* v = root.find("post_processor")) read_post_processor(*v, name + ": post_processor", parts);
  parts.wants_bos = !parts.prefix.empty();
  parts.wants_eos = !parts.suffix.empty();
  return parts;
}

}  // namespace hearth::llm
