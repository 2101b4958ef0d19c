// BPE files: the vocabulary and merges that tokenizer.json and vocab.json + merges.txt have in common.
#include "llm/tokenizer/bpe_files.h"

#include "hearth/core/error.h"
#include "llm/tokenizer/byte_alphabet.h"
#include "llm/tokenizer/scored_bpe.h"
#include "llm/tokenizer/vocabulary.h"

namespace hearth::llm {

namespace {

// What the model looks pieces up by: bytes, or the tokens as they are.
std::vector<std::string> model_tokens(const std::vector<std::string>& tokens, bool byte_level) {
  if (!byte_level) return tokens;
  std::vector<std::string> out(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) out[id] = from_byte_alphabet(tokens[id]).value_or("");
  return out;
}

std::vector<int32_t> byte_tokens(const std::vector<std::string>& tokens) {
  std::vector<int32_t> ids(256, -1);
  for (size_t id = 0; id < tokens.size(); ++id) {
    const int value = byte_piece_value(tokens[id]);
    if (value >= 0) ids[static_cast<size_t>(value)] = static_cast<int32_t>(id);
  }
  return ids;
}

}  // namespace

std::vector<std::string> read_vocabulary(const boost::json::object& vocabulary, const std::string& where) {
  std::vector<std::string> tokens(vocabulary.size());
  for (const auto& entry : vocabulary) {
    const std::string_view token(entry.key().data(), entry.key().size());
    check<ValueError>(entry.value().is_int64(), where, ": the id of \"", token, "\" should be an integer");
    const int64_t id = entry.value().get_int64();
    check<ValueError>(id >= 0 && id < id_limit(vocabulary.size()), where, ": \"", token, "\" has id ", id,
                      " in a vocabulary of ", vocabulary.size());
    if (static_cast<size_t>(id) >= tokens.size()) tokens.resize(static_cast<size_t>(id) + 1);
    std::string& place = tokens[static_cast<size_t>(id)];
    check<ValueError>(place.empty(), where, ": id ", id, " is both \"", place, "\" and \"", token, "\"");
    place = token;
  }
  return tokens;
}

MergeText split_merge(std::string_view line, size_t number, const std::string& where) {
  const size_t space = line.find(' ');
  check<ValueError>(
      space != line.npos && space > 0 && space + 1 < line.size() && line.find(' ', space + 1) == line.npos, where,
      ": merge ", number, " is not two tokens: \"", line, "\"");
  return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
}

void build_bpe(const std::vector<MergeText>& merges, const BpeOptions& options, const std::string& where,
               TokenizerParts& parts) {
  const Vocabulary vocabulary(parts.tokens);
  std::vector<Merge> pairs;
  std::vector<int32_t> merged;
  pairs.reserve(merges.size());
  merged.reserve(merges.size());
  const auto id_of = [&](const std::string& token, size_t number) {
    const int32_t id = vocabulary.find(token);
    check<ValueError>(id >= 0, where, ": merge ", number, " needs the token \"", token,
                      "\", which the vocabulary lacks");
    return id;
  };
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto& [left, right] = merges[i];
    pairs.emplace_back(id_of(left, i), id_of(right, i));
    merged.push_back(id_of(left + right, i));
  }
  parts.model =
      make_bpe(model_tokens(parts.tokens, options.byte_level), pairs, merged, byte_tokens(parts.tokens), options);
}

void decode_byte_level(TokenizerParts& parts) {
  parts.bytes.resize(parts.tokens.size());
  for (size_t id = 0; id < parts.tokens.size(); ++id)
    parts.bytes[id] = from_byte_alphabet(parts.tokens[id]).value_or(parts.tokens[id]);
}

}  // namespace hearth::llm
