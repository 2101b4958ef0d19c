// A client's text as it may stand in a message: in quotes, short, without control characters.
#include "server/wire/shown.h"

#include <algorithm>

#include "hearth/io/utf8.h"

namespace hearth::server {

std::string shown(std::string_view text) {
  constexpr size_t most = 80;
  constexpr char digits[] = "0123456789abcdef";
  size_t end = std::min(text.size(), most);
  // Not in the middle of a character.
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  const bool cut = end < text.size();
  const bool broken = find_invalid_utf8(text.substr(0, end)) != std::string_view::npos;
  std::string out = "\"";
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (broken && byte >= 0x80)) {
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + (cut ? "...\"" : "\"");
}

}  // namespace hearth::server
