// Fuzzes the reader of vocab.json and merges.txt; a zero byte in the input parts the two files.
#include <algorithm>

#include "fuzz/tokenizer_use.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = hearth::llm::as_text(data, size);
  const std::string_view vocab = text.substr(0, text.find(char(0)));
  const std::string_view merges = text.substr(std::min(text.size(), vocab.size() + 1));
  hearth::llm::use_tokenizer([&] { return hearth::llm::parse_vocab_merges(vocab, merges, "vocab.json"); });
  return 0;
}
