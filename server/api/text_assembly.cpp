// Text assembly: stop texts and characters that are cut across tokens.
#include "server/api/text_assembly.h"

#include <algorithm>

namespace hearth::server {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Bytes that a character beginning with `lead` has; 0 for what begins none.
size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

/// Whether `next` may follow as the byte at `index` (1, 2, 3) of a character that begins with `lead`.
bool may_follow(unsigned char lead, size_t index, unsigned char next) {
  if (index == 1) {
    if (lead == 0xE0) return next >= 0xA0 && next <= 0xBF;
    if (lead == 0xED) return next >= 0x80 && next <= 0x9F;
    if (lead == 0xF0) return next >= 0x90 && next <= 0xBF;
    if (lead == 0xF4) return next >= 0x80 && next <= 0x8F;
  }
  return (next & 0xC0) == 0x80;
}

/// How many bytes from `begin` on belong together: `*whole` says whether they are a character. Less than a character
/// at the very end of the text may still become one (`*cut`).
size_t character(std::string_view bytes, size_t begin, bool* whole, bool* cut) {
  const unsigned char lead = static_cast<unsigned char>(bytes[begin]);
  const size_t wanted = length_of(lead);
  size_t have = 1;
  while (have < wanted && begin + have < bytes.size() &&
         may_follow(lead, have, static_cast<unsigned char>(bytes[begin + have])))
    ++have;
  *whole = wanted > 0 && have == wanted;
  *cut = wanted > 0 && have < wanted && begin + have == bytes.size();
  return have;
}

/// Bytes at the end of `text` that begin a character without completing it.
size_t cut_character(std::string_view text) {
  for (size_t back = std::min<size_t>(3, text.size()); back > 0; --back) {
    bool whole = false, cut = false;
    const unsigned char lead = static_cast<unsigned char>(text[text.size() - back]);
    if (length_of(lead) < 2) continue;
    character(text, text.size() - back, &whole, &cut);
    if (cut) return back;
  }
  return 0;
}

/// The longest end of `text` that is a beginning of one of `stops`.
size_t possible_stop(std::string_view text, const std::vector<std::string>& stops) {
  size_t longest = 0;
  for (const std::string& stop : stops)
    for (size_t count = std::min(stop.size() - 1, text.size()); count > longest; --count)
      if (text.ends_with(std::string_view(stop).substr(0, count))) longest = count;
  return longest;
}

}  // namespace

std::string whole_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    bool whole = false, cut = false;
    size_t count = character(bytes, i, &whole, &cut);
    out += whole ? bytes.substr(i, count) : replacement;
    i += count;
  }
  return out;
}

std::string TextAssembly::release(size_t count) {
  std::string shown = whole_utf8(std::string_view(held_).substr(0, count));
  held_.erase(0, count);
  return shown;
}

std::string TextAssembly::add(std::string_view piece) {
  if (stopped_) return "";
  held_ += piece;
  size_ += piece.size();
  size_t first = std::string::npos;
  for (const std::string& stop : stops_) first = std::min(first, held_.find(stop));
  if (first != std::string::npos) {
    stopped_ = true;
    size_ -= held_.size() - first;
    held_.resize(first);
    return release(held_.size());
  }
  return release(held_.size() - std::max(possible_stop(held_, stops_), cut_character(held_)));
}

std::string TextAssembly::end() { return release(held_.size()); }

}  // namespace hearth::server
