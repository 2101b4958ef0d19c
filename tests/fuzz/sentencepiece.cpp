// Fuzzes the reader of SentencePiece's tokenizer.model.
#include "fuzz/tokenizer_use.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::llm::use_tokenizer(
      [&] { return hearth::llm::parse_sentencepiece(hearth::llm::as_text(data, size), "tokenizer.model"); });
  return 0;
}
