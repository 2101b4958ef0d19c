// Tokenizer: text to token ids and back, for every kind of tokenizer file that hearth reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::llm {

struct TokenizerParts;  // how a tokenizer is put together: tokenizer_parts.h

struct EncodeOptions {
  bool add_bos = false;       // put what the tokenizer begins a text with (usually one token) in front
  bool add_eos = false;       // and what it ends one with behind
  bool parse_special = true;  // "<|im_end|>" in the text is that token; false reads it as ordinary characters
};

/// A tokenizer; copies share what they know, and all methods may be called from many threads.
/// Example: Tokenizer t = load_tokenizer("model"); t.decode(t.encode("Hello")) == "Hello"
class Tokenizer {
 public:
  /// Checks and freezes the parts; throws ValueError (naming the file) where ids clash or a needed piece is missing.
  explicit Tokenizer(TokenizerParts parts);

  /// Token ids of `text`. Throws ValueError when `text` is not valid UTF-8, has a character that no token covers, or a
  /// bos or eos is asked for that the tokenizer does not have.
  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;

  /// Text of `ids`, always valid UTF-8: bytes that form no character become U+FFFD. With `skip_special` special tokens
  /// are left out. Nothing else is tidied up: transformers' clean_up_tokenization_spaces, which loses spaces, is never
  /// applied. Throws IndexError for an id outside the vocabulary.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;

  /// Largest id + 1, added tokens included; the model's embedding may have more rows.
  int32_t vocab_size() const;

  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  std::optional<int32_t> unk_id() const;

  /// Whether the tokenizer's own files ask for a bos in front of (an eos behind) an encoded text.
  bool wants_bos() const;
  bool wants_eos() const;

  /// Bytes that the token stands for in a text (perhaps part of a character); empty for a hole in the ids.
  std::string_view token_bytes(int32_t id) const;
  /// The token as its file spells it, e.g. "Ġthe"; empty for a hole.
  const std::string& id_to_token(int32_t id) const;
  /// Id of a token as its file spells it.
  std::optional<int32_t> token_to_id(std::string_view token) const;
  /// Whether decode leaves the token out with `skip_special`.
  bool is_special(int32_t id) const;

  /// The chat template that came with the files (Jinja), or empty.
  const std::string& chat_template() const;

 private:
  friend class StreamDecoder;
  struct Frozen;
  int spaces_to_strip() const;
  void encode_text(std::string_view text, bool parse_special, std::vector<int32_t>& ids) const;
  std::shared_ptr<const Frozen> frozen_;
};

/// Decodes ids one by one; what `push` and `flush` return adds up to what `decode` gives for all ids at once.
/// To print a continuation, push the prompt's ids first and drop what they return: spaces then come out right.
/// Example: StreamDecoder stream(tokenizer); for (int32_t id : ids) out << stream.push(id); out << stream.flush();
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special = true);

  /// Text that `id` completes: whole characters, perhaps none. Throws IndexError for an id outside the vocabulary.
  std::string push(int32_t id);
  /// What is left of an unfinished character, as U+FFFD; the decoder then starts afresh.
  std::string flush();

 private:
  Tokenizer tokenizer_;
  bool skip_special_;
  int spaces_to_strip_;
  std::string pending_;  // at most three bytes
};

/// Loads the tokenizer of a model folder: tokenizer.json; else vocab.json + merges.txt (or encoder.json + vocab.bpe);
/// else a SentencePiece file tokenizer.model (or the only *.model); else llama2.c's tokenizer.bin or tok*.bin. The
/// files tokenizer_config.json, special_tokens_map.json and added_tokens.json beside it are honoured. `path` may also
/// be one of those files itself. `vocab_size` > 0 must be met by a llama2.c file, which does not say its own. Throws
/// IoError when nothing fits, ValueError for a broken file, NotImplementedError naming what is not supported.
Tokenizer load_tokenizer(const std::filesystem::path& path, int32_t vocab_size = 0);

/// The same for one file in memory; `name` goes into the messages.
Tokenizer parse_tokenizer_json(std::string_view json, const std::string& name);
Tokenizer parse_vocab_merges(std::string_view vocab_json, std::string_view merges_txt, const std::string& name);
Tokenizer parse_sentencepiece(std::string_view model, const std::string& name);
Tokenizer parse_llama2c_tokenizer(std::string_view bytes, const std::string& name, int32_t vocab_size = 0);

}  // namespace hearth::llm
