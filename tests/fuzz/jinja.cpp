// Fuzzes the chat template language: any text is rendered or refused, within its limits.
#include <cstdint>
#include <string_view>

#include "hearth/core/error.h"
#include "llm/tokenizer/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::llm;
  static const Tokenizer tokenizer = parse_vocab_merges(R"({"a": 0, "<|endoftext|>": 1})", "", "fuzz");
  static const ChatMessage messages[] = {{"system", "Be kind."},
                                         {"user", "Hi  \u00e9\n"},
                                         {"assistant", "<think>x</think>Hello", R"({"tool_calls": []})"}};
  if (size == 0) return 0;
  try {
    const ChatTemplate chat(std::string_view(reinterpret_cast<const char*>(data), size), tokenizer, "fuzz");
    chat.render_for_training(messages);
  } catch (const hearth::Error&) {
  }
  return 0;
}
