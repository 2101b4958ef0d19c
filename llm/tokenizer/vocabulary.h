// Vocabulary: strings by id and ids by string; a hole in the ids is an empty string that cannot be found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::llm {

class Vocabulary {
 public:
  Vocabulary() = default;
  /// Takes `strings[id]`; of equal strings the lowest id is found.
  explicit Vocabulary(std::vector<std::string> strings);

  int32_t size() const { return static_cast<int32_t>(strings_.size()); }
  const std::string& operator[](int32_t id) const { return strings_[static_cast<size_t>(id)]; }

  /// Id of `text`, or -1.
  int32_t find(std::string_view text) const;

 private:
  struct Slot {
    int32_t id = -1;
    uint32_t hash = 0;
  };
  std::vector<std::string> strings_;
  std::vector<Slot> slots_;  // open addressing; the size is a power of two and at least twice the number of strings
};

}  // namespace hearth::llm
