// Normalizer: what a tokenizer does to a text before it cuts it.
#include "llm/tokenizer/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

#include "hearth/core/error.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

constexpr size_t growth_limit = size_t{1} << 31;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string apply_step(const UnicodeForm& step, std::string text) {
  if (is_ascii(text)) return text;
  using Form = UnicodeForm::Form;
  const bool compose = step.form == Form::nfc || step.form == Form::nfkc;
  const bool compat = step.form == Form::nfkc || step.form == Form::nfkd;
  const int options =
      UTF8PROC_STABLE | (compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) | (compat ? UTF8PROC_COMPAT : 0);
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &mapped, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  check<ValueError>(length >= 0, "normalize: ", utf8proc_errmsg(length));
  return std::string(reinterpret_cast<const char*>(mapped), static_cast<size_t>(length));
}

std::string apply_step(const Lowercase&, std::string text) {
  std::string out;
  out.reserve(text.size());
  for (size_t pos = 0; pos < text.size();) {
    const char32_t code = decode_utf8(text, pos);
    append_code_point(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
    // The one lower case of Unicode that is two characters: i with dot above.
    if (code == 0x130) append_code_point(out, 0x307);
  }
  return out;
}

std::string apply_step(const Prepend& step, std::string text) { return text.empty() ? text : step.text + text; }

std::string apply_step(const Replace& step, std::string text) {
  std::vector<ByteRange> found;
  if (step.regex) {
    step.regex->find_all(text, found);
  } else if (!step.pattern.empty()) {
    for (size_t at = text.find(step.pattern); at != text.npos; at = text.find(step.pattern, at + step.pattern.size()))
      found.push_back({at, at + step.pattern.size()});
  }
  if (found.empty()) return text;
  check<ValueError>(step.content.size() <= growth_limit / found.size(),
                    "normalize: a replacement makes the text too long");
  std::string out;
  out.reserve(text.size());
  size_t done = 0;
  for (const ByteRange& range : found) {
    out.append(text, done, range.begin - done).append(step.content);
    done = range.end;
  }
  return out.append(text, done);
}

// Spaces are joined or dropped on the output of the character map, since that is where e.g. U+3000 becomes one.
std::string apply_step(const SentencePieceRules& rules, std::string text) {
  std::string out;
  bool after_space = rules.remove_extra_whitespaces;
  bool started = false;
  for (size_t pos = 0; pos < text.size();) {
    const size_t kept = rules.kept.longest(text, pos).length;
    const PrecompiledCharsmap::Match match =
        kept > 0 ? PrecompiledCharsmap::Match{std::string_view(text).substr(pos, kept), kept}
                 : rules.charsmap.at(text, pos);
    pos += match.length;
    for (const char c : match.replacement) {
      if (c == ' ' && rules.remove_extra_whitespaces && after_space) continue;
      if (!started && rules.add_dummy_prefix) out += rules.space;
      started = true;
      after_space = c == ' ';
      if (c == ' ') {
        out += rules.space;
      } else {
        out.push_back(c);
      }
    }
  }
  // Also U+2581 itself at the end of a text is taken for a space.
  while (rules.remove_extra_whitespaces && out.ends_with(rules.space)) out.resize(out.size() - rules.space.size());
  return out;
}

}  // namespace

std::string Normalizer::apply(std::string_view text) const {
  std::string out(text);
  for (const NormalizerStep& step : steps_) {
    out = std::visit([&](const auto& known) { return apply_step(known, std::move(out)); }, step);
    check<ValueError>(out.size() < growth_limit, "normalize: the text is too long: ", out.size(), " bytes");
  }
  return out;
}

}  // namespace hearth::llm
