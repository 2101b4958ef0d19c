// The byte alphabet of byte-level BPE: GPT-2's printable stand-in character for each of the 256 bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::llm {

/// `bytes` spelled in the alphabet, e.g. " a" -> "Ġa".
std::string to_byte_alphabet(std::string_view bytes);

/// The bytes that `token` spells, or nothing when a character is outside the alphabet (or is not UTF-8).
std::optional<std::string> from_byte_alphabet(std::string_view token);

/// Code point that stands for `byte`: itself if printable in Latin-1, otherwise the next free one from U+0100.
char32_t byte_alphabet_code(unsigned char byte);

}  // namespace hearth::llm
