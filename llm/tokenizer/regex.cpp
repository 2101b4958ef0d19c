// Regex: a compiled Unicode pattern on PCRE2.
#include "llm/tokenizer/regex.h"

#include <algorithm>

#include "hearth/core/error.h"
#include "llm/tokenizer/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace hearth::llm {

namespace {

constexpr size_t max_pattern_length = 1 << 16;
constexpr uint32_t match_work_limit = 5'000'000;

struct Free {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_jit_stack* p) const { pcre2_jit_stack_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string message_of(int code) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

// Oniguruma's \w; PCRE2's has no marks and no connectors but all numbers.
constexpr char word_class[] = "\\p{L}\\p{M}\\p{Nd}\\p{Pc}";

void translate_escape(char c, bool in_class, const std::string& name, std::string_view pattern, std::string& out) {
  const bool differs = std::string_view("hHKyYgbBRXNO").find(c) != std::string_view::npos || (c == 'W' && in_class);
  check<NotImplementedError>(!differs, name, ": regex: \\", c, " is not supported: ", pattern);
  if (c == 'w') {
    out += in_class ? std::string(word_class) : "[" + std::string(word_class) + "]";
  } else if (c == 'W') {
    out += "[^" + std::string(word_class) + "]";
  } else {
    out.push_back('\\');
    out.push_back(c);
  }
}

// The pattern in PCRE2's dialect. Constructs that both engines accept but read differently would tokenize wrongly
// without a word, so they are translated or refused.
std::string translate(std::string_view pattern, const std::string& name) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      translate_escape(pattern[++i], in_class, name, pattern, out);
      continue;
    }
    const bool posix = in_class && rest.starts_with("[:");
    const bool differs = in_class ? rest.starts_with("&&") || (pattern[i] == '[' && !posix)
                                  : rest.starts_with("(?m") || rest.starts_with("(*") || rest.starts_with("(?R");
    check<NotImplementedError>(!differs, name, ": regex: ", rest.substr(0, 3), " is not supported: ", pattern);
    if (posix) {
      const size_t end = std::min(pattern.find(":]", i + 2), pattern.size() - 2);
      out += pattern.substr(i, end + 2 - i);
      i = end + 1;
      continue;
    }
    if (in_class && pattern[i] == ']')
      in_class = false;
    else if (!in_class && pattern[i] == '[') {
      in_class = true;
      // A bracket that comes first in a class is a member of it.
      const size_t first = i + (rest.starts_with("[^") ? 2 : 1);
      if (first < pattern.size() && pattern[first] == ']') {
        out += pattern.substr(i, first + 1 - i);
        i = first;
        continue;
      }
    }
    out.push_back(pattern[i]);
  }
  return out;
}

}  // namespace

struct Regex::Compiled {
  Owned<pcre2_code> code;
  std::string name;
};

Regex::Regex(const std::string& pattern, const std::string& name) {
  check<ValueError>(pattern.size() <= max_pattern_length, name, ": regex: longer than ", max_pattern_length,
                    " bytes: ", pattern.size());
  check<ValueError>(find_invalid_utf8(pattern) == pattern.npos, name, ": regex: not valid UTF-8");
  const std::string translated = translate(pattern, name);
  int error = 0;
  PCRE2_SIZE offset = 0;
  const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  Owned<pcre2_code> code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), options,
                                       &error, &offset, nullptr));
  check<ValueError>(code != nullptr, name, ": regex: ", message_of(error), " at byte ", offset, ": ", pattern);
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // without a JIT the interpreter gives the same matches
  compiled_ = std::make_shared<const Compiled>(Compiled{std::move(code), name});
}

void Regex::find_all(std::string_view text, std::vector<ByteRange>& matches) const {
  matches.clear();
  // One set per thread: making them for every word would cost more than matching.
  thread_local Owned<pcre2_jit_stack> stack(pcre2_jit_stack_create(32 << 10, 4 << 20, nullptr));
  thread_local Owned<pcre2_match_context> context = [] {
    Owned<pcre2_match_context> made(pcre2_match_context_create(nullptr));
    if (!made) return made;
    pcre2_set_match_limit(made.get(), match_work_limit);
    pcre2_set_heap_limit(made.get(), 64 << 10);
    if (stack) pcre2_jit_stack_assign(made.get(), nullptr, stack.get());
    return made;
  }();
  thread_local Owned<pcre2_match_data> data(pcre2_match_data_create(1, nullptr));
  check<OutOfMemoryError>(context && data, "regex: no memory for matching");
  for (size_t pos = 0; pos <= text.size();) {
    const int rc = pcre2_match(compiled_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), pos,
                               PCRE2_NO_UTF_CHECK, data.get(), context.get());
    if (rc == PCRE2_ERROR_NOMATCH) return;
    check<ValueError>(rc >= 0, compiled_->name, ": regex: ", message_of(rc));
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
    matches.push_back({range[0], range[1]});
    pos = range[1];
    if (range[0] == range[1]) pos += pos < text.size() ? utf8_length(static_cast<unsigned char>(text[pos])) : 1;
  }
}

}  // namespace hearth::llm
