// Added tokens: strings that are cut out of a text before anything else and stand for one id each.
#include "llm/tokenizer/added_tokens.h"

#include <utf8proc.h>

#include <algorithm>

#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

size_t start_of_last_character(std::string_view text, size_t end) {
  size_t start = end - 1;
  while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
  return start;
}

bool is_word_character(char32_t code) {
  // Beyond the categories below: joiners, and symbols that Unicode counts as letters (circled and squared ones).
  if (code == 0x200C || code == 0x200D || (code >= 0x24B6 && code <= 0x24E9) || (code >= 0x1F130 && code <= 0x1F149) ||
      (code >= 0x1F150 && code <= 0x1F169) || (code >= 0x1F170 && code <= 0x1F189))
    return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

bool is_white_space(char32_t code) {
  if ((code >= 0x9 && code <= 0xD) || code == 0x85) return true;
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

bool stands_alone(std::string_view text, ByteRange range) {
  if (range.begin > 0) {
    size_t pos = start_of_last_character(text, range.begin);
    if (is_word_character(decode_utf8(text, pos))) return false;
  }
  size_t pos = range.end;
  return pos >= text.size() || !is_word_character(decode_utf8(text, pos));
}

size_t white_space_start(std::string_view text, size_t end) {
  while (end > 0) {
    const size_t start = start_of_last_character(text, end);
    size_t pos = start;
    if (!is_white_space(decode_utf8(text, pos))) break;
    end = start;
  }
  return end;
}

size_t white_space_end(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    size_t pos = begin;
    if (!is_white_space(decode_utf8(text, pos))) break;
    begin = pos;
  }
  return begin;
}

}  // namespace

void AddedTokenMatcher::add(const AddedToken& token, const std::string& content_to_find) {
  if (content_to_find.empty()) return;
  const int32_t place = static_cast<int32_t>(tokens_.size());
  tokens_.push_back(token);
  all_.insert(content_to_find, place);
  if (!token.special) ordinary_.insert(content_to_find, place);
}

std::vector<TextPart> AddedTokenMatcher::split(std::string_view text, bool parse_special) const {
  std::vector<TextPart> parts;
  const ByteTrie& trie = parse_special ? all_ : ordinary_;
  size_t done = 0;
  for (size_t pos = 0; pos < text.size() && !trie.empty();) {
    const ByteTrie::Match match = trie.longest(text, pos);
    if (match.value < 0) {
      ++pos;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<size_t>(match.value)];
    ByteRange range{pos, pos + match.length};
    pos = range.end;
    if (range.begin < done || (token.single_word && !stands_alone(text, range))) continue;
    if (token.lstrip) range.begin = std::max(done, white_space_start(text.substr(0, range.begin), range.begin));
    if (token.rstrip) range.end = white_space_end(text, range.end);
    if (range.begin > done) parts.push_back({-1, {done, range.begin}});
    parts.push_back({token.id, range});
    done = range.end;
    pos = std::max(pos, done);
  }
  if (done < text.size()) parts.push_back({-1, {done, text.size()}});
  return parts;
}

}  // namespace hearth::llm
