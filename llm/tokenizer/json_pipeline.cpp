// JSON pipeline: normalizer and pre-tokenizer of a tokenizer.json.
#include "llm/tokenizer/json_pipeline.h"

#include <map>

#include "hearth/core/error.h"
#include "llm/tokenizer/json_fields.h"

namespace hearth::llm {

namespace {

// \w+|[^\w\s]+ with the word characters of Rust's regex, which Whitespace is built on.
std::string words_pattern() {
  const std::string word =
      "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200C}\\x{200D}\\x{24B6}-\\x{24E9}"
      "\\x{1F130}-\\x{1F149}\\x{1F150}-\\x{1F169}\\x{1F170}-\\x{1F189}";
  return "[" + word + "]+|[^\\s" + word + "]+";
}

// {"String": "…"} or {"Regex": "…"}
struct Pattern {
  std::string text;
  bool is_regex;
};

Pattern read_pattern(const JsonFields& owner) {
  const JsonFields pattern = owner.child("pattern");
  pattern.expect_only({"String", "Regex"});
  if (pattern.find("Regex")) return {pattern.text("Regex"), true};
  return {pattern.text("String"), false};
}

void read_replace(const JsonFields& fields, Normalizer& normalizer) {
  fields.expect_only({"type", "pattern", "content"});
  const Pattern pattern = read_pattern(fields);
  Replace step{pattern.text, std::nullopt, fields.text("content")};
  if (pattern.is_regex) step.regex.emplace(pattern.text, fields.where());
  normalizer.add(std::move(step));
}

SplitBehavior read_behavior(const JsonFields& fields) {
  static const std::map<std::string, SplitBehavior> known = {
      {"Removed", SplitBehavior::removed},
      {"Isolated", SplitBehavior::isolated},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous},
  };
  const std::string name = fields.text("behavior");
  const auto found = known.find(name);
  check<NotImplementedError>(found != known.end(), fields.where(), ": behavior \"", name, "\" is not supported");
  return found->second;
}

Split regex_split(const std::string& pattern, SplitBehavior behavior, bool invert, const std::string& where) {
  return {"", Regex(pattern, where), behavior, invert};
}

void read_split(const JsonFields& fields, PreTokenizer& out) {
  fields.expect_only({"type", "pattern", "behavior", "invert"});
  const Pattern pattern = read_pattern(fields);
  const SplitBehavior behavior = read_behavior(fields);
  const bool invert = fields.flag_or("invert", false);
  if (pattern.is_regex) {
    out.add(regex_split(pattern.text, behavior, invert, fields.where()));
  } else {
    out.add(Split{pattern.text, std::nullopt, behavior, invert});
  }
}

// trim_offsets moves offsets only, which hearth does not report.
void read_byte_level(const JsonFields& fields, PreTokenizer& out) {
  fields.expect_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  if (fields.flag_or("add_prefix_space", true)) out.add(AddPrefixSpace{});
  if (fields.flag_or("use_regex", true))
    out.add(regex_split(gpt2_split_pattern, SplitBehavior::isolated, false, fields.where()));
}

void read_metaspace(const JsonFields& fields, PreTokenizer& out) {
  fields.expect_only({"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"});
  Metaspace rule;
  rule.marker = fields.text_or("replacement", "\u2581");
  check<ValueError>(!rule.marker.empty(), fields.where(), ": replacement is empty");
  const std::string scheme =
      fields.text_or("prepend_scheme", fields.flag_or("add_prefix_space", true) ? "always" : "never");
  using Scheme = Metaspace::PrependScheme;
  check<NotImplementedError>(scheme == "always" || scheme == "first" || scheme == "never", fields.where(),
                             ": prepend_scheme \"", scheme, "\" is not supported");
  rule.prepend = scheme == "always" ? Scheme::always : scheme == "first" ? Scheme::first : Scheme::never;
  rule.split = fields.flag_or("split", true);
  out.add(std::move(rule));
}

void read_digits(const JsonFields& fields, PreTokenizer& out) {
  fields.expect_only({"type", "individual_digits"});
  const bool each = fields.flag_or("individual_digits", false);
  out.add(regex_split("\\p{N}", each ? SplitBehavior::isolated : SplitBehavior::contiguous, false, fields.where()));
}

}  // namespace

void read_normalizer(const boost::json::value& value, const std::string& where, Normalizer& normalizer) {
  using Form = UnicodeForm::Form;
  static const std::map<std::string, Form> forms = {
      {"NFC", Form::nfc}, {"NFD", Form::nfd}, {"NFKC", Form::nfkc}, {"NFKD", Form::nfkd}};
  const JsonFields fields(value, where);
  const std::string type = fields.text("type");
  if (const auto form = forms.find(type); form != forms.end()) {
    fields.expect_only({"type"});
    normalizer.add(UnicodeForm{form->second});
  } else if (type == "Lowercase") {
    fields.expect_only({"type"});
    normalizer.add(Lowercase{});
  } else if (type == "Prepend") {
    fields.expect_only({"type", "prepend"});
    normalizer.add(Prepend{fields.text("prepend")});
  } else if (type == "Replace") {
    read_replace(fields, normalizer);
  } else if (type == "Sequence") {
    fields.expect_only({"type", "normalizers"});
    for (const auto& step : fields.list("normalizers")) read_normalizer(step, where, normalizer);
  } else {
    fail<NotImplementedError>(where, ": ", type, " is not supported");
  }
}

void read_pre_tokenizer(const boost::json::value& value, const std::string& where, PreTokenizer& out,
                        bool& byte_level) {
  const JsonFields fields(value, where);
  const std::string type = fields.text("type");
  // Behind ByteLevel the text would be in the byte alphabet, where a pattern means something else.
  check<NotImplementedError>(!byte_level, where, ": ", type, " after ByteLevel is not supported");
  if (type == "ByteLevel") {
    read_byte_level(fields, out);
    byte_level = true;
  } else if (type == "Split") {
    read_split(fields, out);
  } else if (type == "Digits") {
    read_digits(fields, out);
  } else if (type == "Metaspace") {
    read_metaspace(fields, out);
  } else if (type == "Whitespace") {
    fields.expect_only({"type"});
    out.add(regex_split(words_pattern(), SplitBehavior::removed, true, where));
  } else if (type == "WhitespaceSplit") {
    fields.expect_only({"type"});
    out.add(regex_split("\\s", SplitBehavior::removed, false, where));
  } else if (type == "Punctuation") {
    fields.expect_only({"type", "behavior"});
    const SplitBehavior behavior = fields.find("behavior") ? read_behavior(fields) : SplitBehavior::isolated;
    out.add(regex_split("[!-/:-@\\[-`{-~]|\\p{P}", behavior, false, where));
  } else if (type == "Sequence") {
    fields.expect_only({"type", "pretokenizers"});
    for (const auto& step : fields.list("pretokenizers")) read_pre_tokenizer(step, where, out, byte_level);
  } else {
    fail<NotImplementedError>(where, ": ", type, " is not supported");
  }
}

}  // namespace hearth::llm
