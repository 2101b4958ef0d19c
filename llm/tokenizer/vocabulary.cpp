// Vocabulary: strings by id and ids by string.
#include "llm/tokenizer/vocabulary.h"

#include <bit>
#include <functional>

namespace hearth::llm {

Vocabulary::Vocabulary(std::vector<std::string> strings) : strings_(std::move(strings)) {
  slots_.resize(std::bit_ceil(strings_.size() * 2 + 2));
  const size_t mask = slots_.size() - 1;
  for (size_t id = 0; id < strings_.size(); ++id) {
    if (strings_[id].empty() || find(strings_[id]) >= 0) continue;
    const size_t hash = std::hash<std::string_view>{}(strings_[id]);
    size_t place = hash & mask;
    while (slots_[place].id >= 0) place = (place + 1) & mask;
    slots_[place] = {static_cast<int32_t>(id), static_cast<uint32_t>(hash >> 32)};
  }
}

int32_t Vocabulary::find(std::string_view text) const {
  if (slots_.empty() || text.empty()) return -1;
  const size_t hash = std::hash<std::string_view>{}(text);
  const size_t mask = slots_.size() - 1;
  for (size_t place = hash & mask; slots_[place].id >= 0; place = (place + 1) & mask) {
    const Slot& slot = slots_[place];
    if (slot.hash == static_cast<uint32_t>(hash >> 32) && strings_[static_cast<size_t>(slot.id)] == text)
      return slot.id;
  }
  return -1;
}

}  // namespace hearth::llm
