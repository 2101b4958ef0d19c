// What the tokenizer fuzz targets do with a tokenizer that a hostile file gave: use all of it, and check what always
// holds.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/core/error.h"
#include "hearth/io/utf8.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

/// Calls `load` and uses the tokenizer. A refusal is a ValueError, IoError or NotImplementedError; any other exception,
/// ids outside the vocabulary, and text that is not UTF-8 are faults of the tokenizer and end the program.
template <class Load>
void use_tokenizer(const Load& load) {
  try {
    const Tokenizer tokenizer = load();
    const char text[] = "The cat <s> sat\n  on 12 mats.\xc3\xa9\xe2\x82\xac<|im_end|>";
    std::vector<int32_t> ids = tokenizer.encode(text);
    for (const int32_t id : ids) {
      if (id < 0 || id >= tokenizer.vocab_size()) std::abort();
    }
    for (int32_t id = 0; id < tokenizer.vocab_size() && id < 64; ++id) ids.push_back(id);
    if (find_invalid_utf8(tokenizer.decode(ids)) != std::string_view::npos) std::abort();
    StreamDecoder stream(tokenizer);
    std::string streamed;
    for (const int32_t id : ids) streamed += stream.push(id);
    streamed += stream.flush();
    if (streamed != tokenizer.decode(ids, true)) std::abort();
  } catch (const ValueError&) {
  } catch (const IoError&) {
  } catch (const NotImplementedError&) {
  }
}

inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace hearth::llm
