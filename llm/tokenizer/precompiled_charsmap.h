// Precompiled character map: SentencePiece's normalization rules, a double-array trie from strings to replacements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::llm {

class PrecompiledCharsmap {
 public:
  struct Match {
    std::string_view replacement;
    size_t length;  // bytes of the text that are replaced, at least one character
  };

  /// The identity: every character stays what it is.
  PrecompiledCharsmap() = default;

  /// Reads the blob of a SentencePiece file (little-endian trie size, trie, zero-terminated replacements); an empty
  /// blob is the identity. Throws ValueError naming `name` when the blob is broken.
  PrecompiledCharsmap(std::string_view blob, const std::string& name);

  /// The replacement of the longest known string at `pos` of `text` (valid UTF-8), or the character there.
  Match at(std::string_view text, size_t pos) const;

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace hearth::llm
