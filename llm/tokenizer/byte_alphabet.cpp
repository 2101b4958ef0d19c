// The byte alphabet of byte-level BPE.
#include "llm/tokenizer/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

constexpr size_t alphabet_end = 256 + 68;  // 68 bytes are not printable and move to U+0100..U+0143

struct Alphabet {
  std::array<char32_t, 256> code;
  std::array<int16_t, alphabet_end> byte;
};

bool keeps_its_place(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

const Alphabet& alphabet() {
  static const Alphabet table = [] {
    Alphabet a;
    a.byte.fill(-1);
    char32_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      a.code[byte] = keeps_its_place(byte) ? static_cast<char32_t>(byte) : next++;
      a.byte[a.code[byte]] = static_cast<int16_t>(byte);
    }
    return a;
  }();
  return table;
}

}  // namespace

char32_t byte_alphabet_code(unsigned char byte) { return alphabet().code[byte]; }

std::string to_byte_alphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) append_code_point(out, byte_alphabet_code(static_cast<unsigned char>(c)));
  return out;
}

std::optional<std::string> from_byte_alphabet(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (size_t pos = 0; pos < token.size();) {
    if (next_utf8(token, pos).kind != Utf8Step::Kind::character) return std::nullopt;
    const char32_t code = decode_utf8(token, pos);
    if (code >= alphabet_end || alphabet().byte[code] < 0) return std::nullopt;
    out.push_back(static_cast<char>(alphabet().byte[code]));
  }
  return out;
}

}  // namespace hearth::llm
