// Precompiled character map of SentencePiece; the trie is a Darts-clone double array.
#include "llm/tokenizer/precompiled_charsmap.h"

#include <cstring>

#include "hearth/core/error.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

// Layout of a unit: bits 0-7 label, 8 has-leaf, 9 offset is shifted by 8 more, 10-30 offset, 31 marks a value.
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t value_of(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t label_of(uint32_t unit) { return unit & 0x800000FF; }
uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }

}  // namespace

PrecompiledCharsmap::PrecompiledCharsmap(std::string_view blob, const std::string& name) {
  if (blob.empty()) return;
  uint32_t trie_bytes = 0;
  check<ValueError>(blob.size() > sizeof trie_bytes, name, ": character map: truncated at ", blob.size(), " bytes");
  std::memcpy(&trie_bytes, blob.data(), sizeof trie_bytes);
  blob.remove_prefix(sizeof trie_bytes);
  check<ValueError>(trie_bytes >= 4 && trie_bytes % 4 == 0 && trie_bytes < blob.size(), name,
                    ": character map: trie of ", trie_bytes, " bytes in ", blob.size());
  units_.resize(trie_bytes / 4);
  std::memcpy(units_.data(), blob.data(), trie_bytes);
  replacements_ = blob.substr(trie_bytes);
  check<ValueError>(replacements_.back() == '\0', name, ": character map: the last replacement has no end");
  check<ValueError>(find_invalid_utf8(replacements_) == std::string::npos, name,
                    ": character map: a replacement is not valid UTF-8");
}

PrecompiledCharsmap::Match PrecompiledCharsmap::at(std::string_view text, size_t pos) const {
  const size_t character = utf8_length(static_cast<unsigned char>(text[pos]));
  Match best{text.substr(pos, character), character};
  if (units_.empty()) return best;
  uint32_t node = offset_of(units_[0]);
  for (size_t i = pos; i < text.size(); ++i) {
    const unsigned char byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) break;
    const uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit) || node >= units_.size()) continue;
    const uint32_t start = value_of(units_[node]);
    // A lying trie may point anywhere, or end a match inside a character.
    const bool whole = i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0) != 0x80;
    const bool sound =
        start < replacements_.size() && (static_cast<unsigned char>(replacements_[start]) & 0xC0) != 0x80;
    if (whole && sound) best = {std::string_view(replacements_.c_str() + start), i + 1 - pos};
  }
  return best;
}

}  // namespace hearth::llm
