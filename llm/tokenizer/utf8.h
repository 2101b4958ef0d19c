// UTF-8: code points, and text that becomes complete piece by piece.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hearth/io/utf8.h"

namespace hearth::llm {

/// What stands at one place of a byte string that should be UTF-8.
struct Utf8Step {
  enum class Kind { character, ill_formed, incomplete };
  Kind kind;
  size_t length;  // bytes of the character, of the ill-formed maximal subpart, or of the unfinished tail
};

/// Classifies the bytes at `pos` (pos < bytes.size()) by Unicode table 3-7; overlong forms and surrogates are
/// ill-formed.
Utf8Step next_utf8(std::string_view bytes, size_t pos);

/// Appends `bytes` to `out` with U+FFFD for every ill-formed maximal subpart; returns how many bytes at the end were
/// left out because later bytes may complete them (always 0 when `final`, where they too become U+FFFD).
size_t append_utf8(std::string& out, std::string_view bytes, bool final);

/// Number of bytes of the character that starts with `lead`; the text must be valid UTF-8.
inline size_t utf8_length(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

/// Code point of the character at `pos` of valid UTF-8; moves `pos` behind it.
char32_t decode_utf8(std::string_view text, size_t& pos);

/// Appends one code point (at most 0x10FFFF) as UTF-8.
void append_code_point(std::string& out, char32_t code);

}  // namespace hearth::llm
