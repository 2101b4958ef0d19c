// Subword model: turns one piece of text into token ids; the interface of BPE, scored BPE and unigram.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth::llm {

class SubwordModel {
 public:
  virtual ~SubwordModel() = default;

  /// Appends the ids of `piece` (not empty, valid UTF-8) to `ids`. Safe to call from many threads.
  virtual void encode(std::string_view piece, std::vector<int32_t>& ids) const = 0;
};

}  // namespace hearth::llm
