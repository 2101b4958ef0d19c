// Tokenizer parts: what the readers of tokenizer files build and a Tokenizer is made of.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/tokenizer/added_tokens.h"
#include "llm/tokenizer/normalizer.h"
#include "llm/tokenizer/pre_tokenizer.h"
#include "llm/tokenizer/subword_model.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

struct TokenizerParts {
  std::string name;                 // the file, for messages
  std::vector<std::string> tokens;  // id -> spelling in the file; empty: a hole
  std::vector<std::string> bytes;   // id -> bytes in a text, same length
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::shared_ptr<const SubwordModel> model;
  std::vector<AddedToken> added;
  std::vector<int32_t> prefix, suffix;  // what add_bos and add_eos put around a text
  bool wants_bos = false, wants_eos = false;
  std::optional<int32_t> bos, eos, pad, unk;
  int spaces_to_strip = 0;        // leading spaces that decoding takes away
  bool raw_added_tokens = false;  // added tokens are looked for in the text as given, whatever they say
  std::string chat_template;

  /// Id of `token` among tokens and added tokens, or -1; a linear search, for the few special tokens.
  int32_t find(std::string_view token) const;
  /// Registers an added token; its id must be free or already hold the same text. Throws ValueError otherwise.
  void add_token(AddedToken token);
};

/// What vocab.json and merges.txt leave open and tokenizer_config.json says.
struct VocabMergesOptions {
  std::string tokenizer_class;  // decides the pre-tokenizer; empty: GPT-2's
  bool add_prefix_space = false;
};

/// Readers: one file in memory -> parts.
TokenizerParts read_tokenizer_json(std::string_view json, const std::string& name);
TokenizerParts read_vocab_merges(std::string_view vocab_json, std::string_view merges_txt,
                                 const VocabMergesOptions& options, const std::string& name);
TokenizerParts read_sentencepiece(std::string_view model, const std::string& name);
TokenizerParts read_llama2c_tokenizer(std::string_view bytes, const std::string& name, int32_t vocab_size);

/// tokenizer_config.json, special_tokens_map.json, added_tokens.json and chat_template.jinja; each may be empty:
/// absent.
struct TokenizerSideFiles {
  std::string config, special_tokens_map, added_tokens, chat_template;
};

/// Adds the tokens, special tokens and chat template of the side files, and settles what bos and eos are; where no file
/// says, the special tokens <s>, and </s> or <|endoftext|>, are taken as such. `folder` goes into the messages.
void apply_side_files(const TokenizerSideFiles& files, const std::string& folder, TokenizerParts& parts);

/// What a tokenizer_config.json (may be empty: absent) says about vocab.json and merges.txt.
VocabMergesOptions vocab_merges_options(std::string_view config, const std::string& folder);

/// Most ids that a vocabulary of `count` entries may span: a lying id must not make us allocate gigabytes.
inline int64_t id_limit(size_t count) { return static_cast<int64_t>(count) * 2 + 65536; }

}  // namespace hearth::llm
