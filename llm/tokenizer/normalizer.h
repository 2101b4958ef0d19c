// Normalizer: what a tokenizer does to a text before it cuts it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "llm/tokenizer/byte_trie.h"
#include "llm/tokenizer/precompiled_charsmap.h"
#include "llm/tokenizer/regex.h"

namespace hearth::llm {

struct UnicodeForm {
  enum class Form { nfc, nfd, nfkc, nfkd } form;
};
struct Lowercase {};
/// Puts `text` in front of a text that is not empty.
struct Prepend {
  std::string text;
};
/// Replaces every `pattern` (literal unless `regex` is set) by `content`.
struct Replace {
  std::string pattern;
  std::optional<Regex> regex;
  std::string content;
};
/// SentencePiece's rules in one step: character map, white space, dummy prefix, U+2581 for spaces.
struct SentencePieceRules {
  PrecompiledCharsmap charsmap;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  ByteTrie kept;      // texts that the character map leaves alone: user-defined pieces
  std::string space;  // what a space becomes: U+2581, or " " when whitespace is not escaped
};

using NormalizerStep = std::variant<UnicodeForm, Lowercase, Prepend, Replace, SentencePieceRules>;

class Normalizer {
 public:
  template <class Step>
  void add(Step step) {
    steps_.emplace_back(std::in_place_type<Step>, std::move(step));
  }
  bool empty() const { return steps_.empty(); }

  /// `text` (valid UTF-8) after all steps, in their order. Throws ValueError when a hostile rule makes the text
  /// explode.
  std::string apply(std::string_view text) const;

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace hearth::llm
