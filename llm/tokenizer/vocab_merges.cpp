// vocab.json + merges.txt: the two-file format of GPT-2, which leaves the pre-tokenizer to the tokenizer class.
#include "hearth/core/error.h"
#include "llm/tokenizer/bpe_files.h"
#include "llm/tokenizer/json_fields.h"
#include "llm/tokenizer/tokenizer_parts.h"

namespace hearth::llm {

namespace {

std::vector<MergeText> read_merge_lines(std::string_view text, const std::string& where) {
  std::vector<MergeText> merges;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    merges.push_back(split_merge(line, number, where));
  }
  return merges;
}

void cut_like(const std::string& tokenizer_class, TokenizerParts& parts) {
  std::string_view base = tokenizer_class;
  if (base.ends_with("Fast")) base.remove_suffix(4);
  if (base == "Qwen2Tokenizer") {
    parts.normalizer.add(UnicodeForm{UnicodeForm::Form::nfc});
    parts.pre_tokenizer.add(Split{"", Regex(qwen2_split_pattern, parts.name), SplitBehavior::isolated, false});
    return;
  }
  const bool like_gpt2 = base.empty() || base == "GPT2Tokenizer" || base == "CodeGenTokenizer";
  check<NotImplementedError>(like_gpt2, parts.name, ": tokenizer_class ", tokenizer_class,
                             " is not supported without a tokenizer.json");
  parts.pre_tokenizer.add(Split{"", Regex(gpt2_split_pattern, parts.name), SplitBehavior::isolated, false});
}

}  // namespace

TokenizerParts read_vocab_merges(std::string_view vocab_json, std::string_view merges_txt,
                                 const VocabMergesOptions& options, const std::string& name) {
  TokenizerParts parts;
  parts.name = name;
  const boost::json::value value = parse_json(vocab_json, name);
  parts.tokens = read_vocabulary(JsonFields(value, name).object(), name);
  build_bpe(read_merge_lines(merges_txt, name), BpeOptions{}, name, parts);
  decode_byte_level(parts);
  if (options.add_prefix_space) parts.pre_tokenizer.add(AddPrefixSpace{});
  cut_like(options.tokenizer_class, parts);
  // GPT-2's end of text is an ordinary entry of its vocabulary, and the only special token it has.
  if (const int32_t id = parts.find("<|endoftext|>"); id >= 0) parts.add_token({id, "<|endoftext|>", true});
  return parts;
}

}  // namespace hearth::llm
