// Jinja lexer: literal text and tags, with white space control applied.
#include "llm/tokenizer/jinja_lexer.h"

#include <algorithm>

#include "hearth/core/error.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm::jinja {

namespace {

constexpr size_t source_limit = 1 << 20;
using Kind = Token::Kind;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  Lexer(std::string_view source, const std::string& name) : source_(source), name_(name) {}

  std::vector<Token> run() {
    while (pos_ < source_.size()) {
      const size_t tag = next_tag(pos_);
      read_text(tag);
      if (tag < source_.size()) read_tag();
    }
    push(Kind::end, "");
    return std::move(tokens_);
  }

 private:
  template <class... Pieces>
  [[noreturn]] void broken(const Pieces&... pieces) const {
    fail<ValueError>(name_, ": line ", line_, ": ", pieces...);
  }

  bool at(std::string_view text, size_t offset = 0) const {
    return source_.substr(std::min(pos_ + offset, source_.size())).starts_with(text);
  }

  void push(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  void advance(size_t count) {
    line_ += static_cast<int>(std::count(source_.begin() + pos_, source_.begin() + pos_ + count, '\n'));
    pos_ += count;
  }

  size_t next_tag(size_t from) const {
    for (size_t at = source_.find('{', from); at != source_.npos; at = source_.find('{', at + 1))
      if (at + 1 < source_.size() && (source_[at + 1] == '{' || source_[at + 1] == '%' || source_[at + 1] == '#'))
        return at;
    return source_.size();
  }

  // Text up to `tag`; what the tag before and the tag behind ask to strip is left out.
  void read_text(size_t tag) {
    std::string_view text = source_.substr(pos_, tag - pos_);
    if (strip_left_) {
      while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    } else if (trim_newline_ && text.starts_with('\n')) {
      text.remove_prefix(1);
    }
    const bool trimmed_line = (strip_left_ || trim_newline_) && text.size() < tag - pos_;
    strip_left_ = trim_newline_ = false;
    if (tag + 2 < source_.size() && source_[tag + 2] == '-') {
      while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    } else if (tag + 1 < source_.size() && source_[tag + 1] != '{' &&
               !(tag + 2 < source_.size() && source_[tag + 2] == '+')) {
      strip_indentation(text, trimmed_line || tokens_.empty());
    }
    if (!text.empty()) push(Kind::text, std::string(text));
    advance(tag - pos_);
  }

  // lstrip_blocks: blanks between the start of a line and a block tag vanish.
  static void strip_indentation(std::string_view& text, bool starts_line) {
    const size_t newline = text.rfind('\n');
    const size_t begin = newline == text.npos ? 0 : newline + 1;
    if (newline == text.npos && !starts_line) return;
    if (std::all_of(text.begin() + begin, text.end(), is_space)) text = text.substr(0, begin);
  }

  void read_tag() {
    const char type = source_[pos_ + 1];
    advance(2);
    if (at("-") || at("+")) advance(1);
    if (type == '#') {
      skip_comment();
    } else if (type == '%') {
      if (!read_raw()) read_expression(Kind::block_begin, Kind::block_end, "%}");
    } else {
      read_expression(Kind::output_begin, Kind::output_end, "}}");
    }
  }

  void skip_comment() {
    const size_t end = source_.find("#}", pos_);
    if (end == source_.npos) broken("comment without end");
    strip_left_ = end > pos_ && source_[end - 1] == '-';
    trim_newline_ = !(end > pos_ && source_[end - 1] == '+');
    advance(end + 2 - pos_);
  }

  void skip_spaces() {
    while (pos_ < source_.size() && is_space(source_[pos_])) advance(1);
  }

  // Position behind "word [-+]%}" from `from`, or npos; the sign is stored.
  size_t tag_end(size_t from, std::string_view word, char& sign) const {
    while (from < source_.size() && is_space(source_[from])) ++from;
    if (!source_.substr(from).starts_with(word)) return source_.npos;
    from += word.size();
    while (from < source_.size() && is_space(source_[from])) ++from;
    sign = from < source_.size() && (source_[from] == '-' || source_[from] == '+') ? source_[from++] : ' ';
    return source_.substr(from).starts_with("%}") ? from + 2 : source_.npos;
  }

  bool read_raw() {
    char sign = ' ';
    const size_t begin = tag_end(pos_, "raw", sign);
    if (begin == source_.npos) return false;
    for (size_t open = source_.find("{%", begin); open != source_.npos; open = source_.find("{%", open + 2)) {
      size_t inside = open + 2;
      const bool strip = inside < source_.size() && source_[inside] == '-';
      if (strip) ++inside;
      char end_sign = ' ';
      const size_t end = tag_end(inside, "endraw", end_sign);
      if (end == source_.npos) continue;
      std::string_view text = source_.substr(begin, open - begin);
      while (sign == '-' && !text.empty() && is_space(text.front())) text.remove_prefix(1);
      while (strip && !text.empty() && is_space(text.back())) text.remove_suffix(1);
      if (!strip) strip_indentation(text, text.size() < open - begin);
      push(Kind::text, std::string(text));
      advance(end - pos_);
      strip_left_ = end_sign == '-';
      trim_newline_ = end_sign != '+';
      return true;
    }
    broken("raw without endraw");
  }

  void read_expression(Kind begin, Kind end, std::string_view close) {
    push(begin, "");
    int braces = 0;
    for (;;) {
      skip_spaces();
      if (pos_ >= source_.size()) broken("tag without end");
      if (braces == 0) {
        const bool sign = (at("-") || (at("+") && end == Kind::block_end)) && at(close, 1);
        if (sign || at(close)) {
          strip_left_ = sign && at("-");
          trim_newline_ = end == Kind::block_end && !(sign && at("+"));
          push(end, "");
          advance(close.size() + (sign ? 1 : 0));
          return;
        }
      }
      read_token();
      if (tokens_.back().kind == Kind::op && tokens_.back().text == "{") ++braces;
      if (tokens_.back().kind == Kind::op && tokens_.back().text == "}") --braces;
    }
  }

  void read_token() {
    const char c = source_[pos_];
    if (starts_name(c)) {
      size_t end = pos_;
      while (end < source_.size() && (starts_name(source_[end]) || is_digit(source_[end]))) ++end;
      push(Kind::name, std::string(source_.substr(pos_, end - pos_)));
      advance(end - pos_);
    } else if (is_digit(c)) {
      read_number();
    } else if (c == '\'' || c == '"') {
      read_string(c);
    } else {
      read_operator();
    }
  }

  void read_number() {
    size_t end = pos_;
    std::string digits;
    bool real = false;
    for (; end < source_.size(); ++end) {
      const char c = source_[end];
      const char next = end + 1 < source_.size() ? source_[end + 1] : ' ';
      const bool fraction = c == '.' && !real && is_digit(next);
      const bool exponent = (c == 'e' || c == 'E') && (is_digit(next) || next == '-' || next == '+');
      const bool sign = (c == '-' || c == '+') && !digits.empty() && (digits.back() == 'e' || digits.back() == 'E');
      if (!is_digit(c) && !fraction && !exponent && !sign && c != '_') break;
      real |= fraction || exponent;
      if (c != '_') digits.push_back(c);
    }
    push(real ? Kind::real : Kind::integer, digits);
    advance(end - pos_);
  }

  void read_string(char quote) {
    std::string text;
    size_t i = pos_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] == '\\' && i + 1 < source_.size()) {
        i = read_escape(i + 1, text);
      } else {
        text.push_back(source_[i]);
      }
    }
    if (i >= source_.size()) broken("string without end");
    push(Kind::string, std::move(text));
    advance(i + 1 - pos_);
  }

  // The escape whose letter stands at `i`; returns the position of its last character.
  size_t read_escape(size_t i, std::string& text) const {
    static constexpr std::string_view letters = "ntrbfva0\\'\"", values("\n\t\r\b\f\v\a\0\\'\"", 11);
    const char c = source_[i];
    if (const size_t known = letters.find(c); known != letters.npos) {
      text.push_back(values[known]);
      return i;
    }
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) {
      if (c != '\n') text += {'\\', c};
      return i;
    }
    uint32_t code = 0;
    for (size_t k = 1; k <= digits; ++k) {
      const char d = i + k < source_.size() ? source_[i + k] : ' ';
      const bool letter = (d >= 'a' && d <= 'f') || (d >= 'A' && d <= 'F');
      if (!is_digit(d) && !letter) broken("escape \\", c, " needs ", digits, " hexadecimal digits");
      code = code * 16 + static_cast<uint32_t>(is_digit(d) ? d - '0' : (d | 0x20) - 'a' + 10);
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) broken("escape \\", c, " is no character");
    append_code_point(text, code);
    return i + digits;
  }

  void read_operator() {
    for (const std::string_view op : {"//", "**", "==", "!=", ">=", "<="}) {
      if (!at(op)) continue;
      push(Kind::op, std::string(op));
      advance(2);
      return;
    }
    const char c = source_[pos_];
    if (std::string_view("+-/*%~[](){}<>=.:|,").find(c) == std::string_view::npos)
      broken("unexpected character '", c, "'");
    push(Kind::op, std::string(1, c));
    advance(1);
  }

  std::string_view source_;
  const std::string& name_;
  size_t pos_ = 0;
  int line_ = 1;
  bool strip_left_ = false, trim_newline_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, const std::string& name) {
  check<ValueError>(source.size() <= source_limit, name, ": ", source.size(),
                    " bytes are too many for a chat template");
  check<ValueError>(find_invalid_utf8(source) == source.npos, name, ": not valid UTF-8");
  if (source.ends_with('\n')) source.remove_suffix(1);
  return Lexer(source, name).run();
}

}  // namespace hearth::llm::jinja
