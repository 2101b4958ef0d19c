// Fuzzes the reader of llama2.c's tokenizer.bin.
#include "fuzz/tokenizer_use.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::llm::use_tokenizer(
      [&] { return hearth::llm::parse_llama2c_tokenizer(hearth::llm::as_text(data, size), "tokenizer.bin"); });
  return 0;
}
