// Fuzzes the reader of tokenizer.json, with whatever pre-tokenizer, normalizer and decoder the file asks for.
#include "fuzz/tokenizer_use.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::llm::use_tokenizer(
      [&] { return hearth::llm::parse_tokenizer_json(hearth::llm::as_text(data, size), "tokenizer.json"); });
  return 0;
}
