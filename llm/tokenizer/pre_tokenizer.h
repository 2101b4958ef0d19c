// Pre-tokenizer: cuts a normalized text into the pieces that the subword model sees one by one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "llm/tokenizer/regex.h"

namespace hearth::llm {

/// A text and the places where it is cut; a step may rewrite the text.
struct CutText {
  std::string text;
  std::vector<ByteRange> pieces;  // in order, not empty, inside `text`
};

/// What happens to the matches of a Split.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// Cuts at the matches of a literal or a regex; `invert` swaps matches and the text between them.
struct Split {
  std::string literal;
  std::optional<Regex> regex;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;
};

/// Puts a space in front of every piece that does not start with one.
struct AddPrefixSpace {};

/// Spaces become `marker`; one is put in front of pieces that lack it; pieces are cut before each marker if `split`.
struct Metaspace {
  enum class PrependScheme { always, first, never };
  std::string marker = "\u2581";
  PrependScheme prepend = PrependScheme::always;
  bool split = true;
};

using PreTokenizerStep = std::variant<Split, AddPrefixSpace, Metaspace>;

class PreTokenizer {
 public:
  template <class Step>
  void add(Step step) {
    steps_.emplace_back(std::in_place_type<Step>, std::move(step));
  }

  /// Cuts `text`; `at_start` tells whether it is the beginning of what is encoded (Metaspace's "first" asks).
  CutText apply(std::string text, bool at_start) const;

 private:
  std::vector<PreTokenizerStep> steps_;
};

/// The regexes that byte-level tokenizers cut by.
extern const char gpt2_split_pattern[];
extern const char qwen2_split_pattern[];
extern const char llama3_split_pattern[];

}  // namespace hearth::llm
