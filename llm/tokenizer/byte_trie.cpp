// Byte trie: all or the longest of a set of byte strings that start at a place in a text.
#include "llm/tokenizer/byte_trie.h"

namespace hearth::llm {

void ByteTrie::insert(std::string_view key, int32_t value) {
  int32_t node = 0;
  for (const char c : key) {
    const unsigned char byte = static_cast<unsigned char>(c);
    int32_t next = child(node, byte);
    if (next < 0) {
      next = static_cast<int32_t>(values_.size());
      values_.push_back(-1);
      if (node == 0) {
        root_[byte] = next;
      } else {
        children_.emplace(static_cast<uint64_t>(node) << 8 | byte, next);
      }
    }
    node = next;
  }
  values_[static_cast<size_t>(node)] = value;
}

ByteTrie::Match ByteTrie::longest(std::string_view text, size_t pos) const {
  Match best;
  each_prefix(text, pos, [&](int32_t value, size_t length) { best = {value, length}; });
  return best;
}

}  // namespace hearth::llm
