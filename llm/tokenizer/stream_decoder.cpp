// Stream decoder: token ids to text piece by piece, never half a character.
#include "llm/tokenizer/tokenizer.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

StreamDecoder::StreamDecoder(Tokenizer tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special), spaces_to_strip_(tokenizer_.spaces_to_strip()) {}

std::string StreamDecoder::push(int32_t id) {
  std::string_view bytes = tokenizer_.token_bytes(id);
  if (bytes.empty() || (skip_special_ && tokenizer_.is_special(id))) return {};
  if (tokenizer_.unk_id() == id) spaces_to_strip_ = 0;  // the spaces around an unknown piece are its own
  while (spaces_to_strip_ > 0 && !bytes.empty()) {
    if (bytes.front() == ' ') {
      bytes.remove_prefix(1);
      --spaces_to_strip_;
    } else {
      spaces_to_strip_ = 0;
    }
  }
  pending_ += bytes;
  std::string text;
  const size_t unfinished = append_utf8(text, pending_, false);
  pending_.erase(0, pending_.size() - unfinished);
  return text;
}

std::string StreamDecoder::flush() {
  std::string text;
  append_utf8(text, pending_, true);
  pending_.clear();
  spaces_to_strip_ = tokenizer_.spaces_to_strip();
  return text;
}

}  // namespace hearth::llm
