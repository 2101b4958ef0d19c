// UTF-8: validation, code points, and text that becomes complete piece by piece.
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

// The range that the second byte may have; it alone rules out overlong forms, surrogates and codes above 0x10FFFF.
struct SecondByte {
  unsigned char low, high;
};

SecondByte second_byte_range(unsigned char lead) {
  switch (lead) {
    case 0xE0:
      return {0xA0, 0xBF};
    case 0xED:
      return {0x80, 0x9F};
    case 0xF0:
      return {0x90, 0xBF};
    case 0xF4:
      return {0x80, 0x8F};
    default:
      return {0x80, 0xBF};
  }
}

}  // namespace

Utf8Step next_utf8(std::string_view bytes, size_t pos) {
  using Kind = Utf8Step::Kind;
  const unsigned char lead = bytes[pos];
  if (lead < 0x80) return {Kind::character, 1};
  if (lead < 0xC2 || lead > 0xF4) return {Kind::ill_formed, 1};
  const size_t length = utf8_length(lead);
  for (size_t i = 1; i < length; ++i) {
    if (pos + i >= bytes.size()) return {Kind::incomplete, i};
    const SecondByte range = i == 1 ? second_byte_range(lead) : SecondByte{0x80, 0xBF};
    const unsigned char byte = bytes[pos + i];
    if (byte < range.low || byte > range.high) return {Kind::ill_formed, i};
  }
  return {Kind::character, length};
}

size_t append_utf8(std::string& out, std::string_view bytes, bool final) {
  size_t pos = 0;
  while (pos < bytes.size()) {
    const Utf8Step step = next_utf8(bytes, pos);
    if (step.kind == Utf8Step::Kind::character) {
      out.append(bytes, pos, step.length);
    } else if (step.kind == Utf8Step::Kind::incomplete && !final) {
      return bytes.size() - pos;
    } else {
      out.append("\xEF\xBF\xBD");
    }
    pos += step.length;
  }
  return 0;
}

char32_t decode_utf8(std::string_view text, size_t& pos) {
  const unsigned char lead = text[pos];
  const size_t length = utf8_length(lead);
  char32_t code = length == 1 ? lead : lead & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (text[pos + i] & 0x3F);
  pos += length;
  return code;
}

void append_code_point(std::string& out, char32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
    return;
  }
  const int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  const unsigned mark = tail == 1 ? 0xC0 : tail == 2 ? 0xE0 : 0xF0;
  out.push_back(static_cast<char>(mark | (code >> (6 * tail))));
  for (int i = tail - 1; i >= 0; --i) out.push_back(static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F)));
}

}  // namespace hearth::llm
