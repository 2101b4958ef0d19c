// Added tokens: strings that are cut out of a text before anything else and stand for one id each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm/tokenizer/byte_trie.h"
#include "llm/tokenizer/regex.h"

namespace hearth::llm {

struct AddedToken {
  int32_t id = -1;
  std::string content;
  bool special = false;      // not part of the language: <|im_end|>
  bool lstrip = false;       // takes the white space on its left along
  bool rstrip = false;       // and on its right
  bool single_word = false;  // only where no letter, digit or underscore touches it
  bool normalized = false;   // looked for in the normalized text
};

/// A part of a text: an added token, or (id -1) text between them.
struct TextPart {
  int32_t id = -1;
  ByteRange range;
};

class AddedTokenMatcher {
 public:
  void add(const AddedToken& token, const std::string& content_to_find);
  bool empty() const { return tokens_.empty(); }

  /// Cuts `text` at the leftmost longest matches; special tokens are left in the text unless `parse_special`.
  std::vector<TextPart> split(std::string_view text, bool parse_special) const;

 private:
  std::vector<AddedToken> tokens_;
  ByteTrie all_, ordinary_;  // ordinary: those that are not special
};

}  // namespace hearth::llm
