// Byte trie: all or the longest of a set of byte strings that start at a place in a text.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hearth::llm {

class ByteTrie {
 public:
  struct Match {
    int32_t value = -1;
    size_t length = 0;
  };

  /// Adds `key` (not empty) with `value` >= 0; a key added twice keeps its last value.
  void insert(std::string_view key, int32_t value);
  bool empty() const { return values_.size() == 1; }

  /// The longest key that `text` has at `pos`; value -1 when there is none.
  Match longest(std::string_view text, size_t pos) const;

  /// Calls `visit(value, length)` for every key that `text` has at `pos`, shortest first.
  template <class Visit>
  void each_prefix(std::string_view text, size_t pos, Visit visit) const {
    int32_t node = 0;
    for (size_t i = pos; i < text.size(); ++i) {
      node = child(node, static_cast<unsigned char>(text[i]));
      if (node < 0) return;
      const int32_t value = values_[static_cast<size_t>(node)];
      if (value >= 0) visit(value, i + 1 - pos);
    }
  }

 private:
  // The root is met at every byte of the text, so its children lie in a table; deeper nodes share one hash map.
  int32_t child(int32_t node, unsigned char byte) const {
    if (node == 0) return root_[byte];
    const auto found = children_.find(static_cast<uint64_t>(node) << 8 | byte);
    return found == children_.end() ? -1 : found->second;
  }

  static std::array<int32_t, 256> no_children() {
    std::array<int32_t, 256> table;
    table.fill(-1);
    return table;
  }

  std::array<int32_t, 256> root_ = no_children();
  std::unordered_map<uint64_t, int32_t> children_;
  std::vector<int32_t> values_{-1};
};

}  // namespace hearth::llm
