// BPE export: the Hugging Face files of a trained tokenizer.
#include "llm/tokenizer/bpe_export.h"

#include <boost/json.hpp>
#include <fstream>

#include "hearth/core/error.h"
#include "llm/tokenizer/pre_tokenizer.h"

namespace hearth::llm {

namespace {

namespace json = boost::json;

json::object byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

json::object pre_tokenizer(BpeTrainerOptions::Cut cut) {
  if (cut == BpeTrainerOptions::Cut::gpt2) return byte_level(true);
  const json::object split = {
      {"type", "Split"}, {"pattern", {{"Regex", llama3_split_pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", json::array{split, byte_level(false)}}};
}

json::array added_tokens(const BpeTrainerOptions& options) {
  json::array out;
  for (size_t id = 0; id < options.special_tokens.size(); ++id)
    out.push_back(json::object{{"id", static_cast<int64_t>(id)},
                               {"content", options.special_tokens[id]},
                               {"single_word", false},
                               {"lstrip", false},
                               {"rstrip", false},
                               {"normalized", false},
                               {"special", true}});
  return out;
}

json::value token_or_null(const std::string& token) { return token.empty() ? json::value() : json::value(token); }

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  check<IoError>(file.good(), path.string(), ": cannot be written");
}

}  // namespace

std::string tokenizer_json_of(const TrainedBpe& trained, const BpeTrainerOptions& options) {
  json::object vocabulary;
  for (size_t id = 0; id < trained.tokens.size(); ++id) vocabulary[trained.tokens[id]] = static_cast<int64_t>(id);
  json::array merges;
  for (const auto& [left, right] : trained.merges) merges.push_back(json::string(left + " " + right));
  const json::object root = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added_tokens(options)},
      {"normalizer", nullptr},
      {"pre_tokenizer", pre_tokenizer(options.cut)},
      {"post_processor", nullptr},
      {"decoder", byte_level(true)},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", false},
        {"vocab", std::move(vocabulary)},
        {"merges", std::move(merges)}}},
  };
  return json::serialize(root) + "\n";
}

std::string tokenizer_config_json_of(const BpeTrainerOptions& options) {
  json::object config = {
      {"tokenizer_class", "PreTrainedTokenizerFast"},  {"bos_token", token_or_null(options.bos_token)},
      {"eos_token", token_or_null(options.eos_token)}, {"add_bos_token", false},
      {"clean_up_tokenization_spaces", false},
  };
  if (!options.chat_template.empty()) config["chat_template"] = options.chat_template;
  return json::serialize(config) + "\n";
}

void write_tokenizer(const TrainedBpe& trained, const std::filesystem::path& folder) {
  check<IoError>(std::filesystem::is_directory(folder), folder.string(), ": is not a folder");
  write_file(folder / "tokenizer.json", trained.tokenizer_json);
  write_file(folder / "tokenizer_config.json", trained.tokenizer_config_json);
}

}  // namespace hearth::llm
