// Fuzzes the readers of training data: any bytes, as JSONL and as text, give examples or a hearth error.
#include "hearth/core/error.h"
#include "hearth/data/examples.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"input.jsonl", "input.txt", "input"}) {
    for (const auto split : {hearth::TextSplit::automatic, hearth::TextSplit::blank_lines}) {
      try {
        hearth::ExampleOptions options;
        options.split = split;
        hearth::parse_examples(bytes, name, options).note();
      } catch (const hearth::ValueError&) {
      } catch (const hearth::IoError&) {
      }
    }
  }
  return 0;
}
