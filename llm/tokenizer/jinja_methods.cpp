// Jinja methods: those of Python's texts, lists and mappings that templates call.
#include <utf8proc.h>

#include <algorithm>

#include "llm/tokenizer/jinja_interpreter.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm::jinja {

namespace {

bool is_space(char32_t code) {
  if ((code >= 0x9 && code <= 0xD) || (code >= 0x1C && code <= 0x1F) || code == 0x85) return true;
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

std::vector<Value> split_at_spaces(std::string_view text, int64_t limit) {
  std::vector<Value> parts;
  for (size_t pos = 0; pos < text.size();) {
    size_t next = pos;
    if (is_space(decode_utf8(text, next))) {
      pos = next;
      continue;
    }
    size_t end = pos;
    while (next = end, end < text.size() && !is_space(decode_utf8(text, next))) end = next;
    if (limit >= 0 && static_cast<int64_t>(parts.size()) >= limit) end = text.size();
    parts.push_back(Value::text(std::string(text.substr(pos, end - pos))));
    pos = end;
  }
  return parts;
}

std::vector<Value> split_at(std::string_view text, const std::string& separator, int64_t limit) {
  check<ValueError>(!separator.empty(), "chat template: split: the separator is empty");
  std::vector<Value> parts;
  size_t begin = 0;
  for (size_t at = text.find(separator); at != text.npos && limit != 0; at = text.find(separator, begin), --limit) {
    parts.push_back(Value::text(std::string(text.substr(begin, at - begin))));
    begin = at + separator.size();
  }
  parts.push_back(Value::text(std::string(text.substr(begin))));
  return parts;
}

std::vector<Value> split_from_right(std::string_view text, const std::string& separator, int64_t limit) {
  check<ValueError>(!separator.empty(), "chat template: rsplit: the separator is empty");
  std::vector<Value> parts;
  for (; limit != 0; --limit) {
    const size_t at = text.rfind(separator);
    if (at == text.npos) break;
    parts.push_back(Value::text(std::string(text.substr(at + separator.size()))));
    text = text.substr(0, at);
  }
  parts.push_back(Value::text(std::string(text)));
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<Value> split_lines(std::string_view text) {
  std::vector<Value> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    lines.push_back(Value::text(std::string(text.substr(0, end))));
    const size_t skip = text.substr(end).starts_with("\r\n") ? 2 : 1;
    text.remove_prefix(std::min(end + skip, text.size()));
  }
  return lines;
}

bool has_affix(const std::string& text, const Value& affix, bool at_start, const std::string& what) {
  if (affix.is_list()) {
    const auto& all = affix.as_list();
    return std::any_of(all.begin(), all.end(), [&](const Value& one) { return has_affix(text, one, at_start, what); });
  }
  const std::string& part = text_argument(affix, what);
  return at_start ? text.starts_with(part) : text.ends_with(part);
}

int64_t count_of(const std::string& text, const std::string& part) {
  if (part.empty()) return static_cast<int64_t>(length_of(Value::text(text))) + 1;
  int64_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

bool all_characters(const std::string& text, bool (*holds)(utf8proc_category_t)) {
  for (size_t pos = 0; pos < text.size();)
    if (!holds(utf8proc_category(static_cast<utf8proc_int32_t>(decode_utf8(text, pos))))) return false;
  return !text.empty();
}

Value join(const std::string& separator, const Value& items) {
  std::string out;
  bool first = true;
  for (const Value& item : items_of(items)) {
    if (!first) append_limited(out, separator);
    append_limited(out, text_argument(item, "join"));
    first = false;
  }
  return Value::text(std::move(out));
}

Value split_method(const std::string& text, const std::string& name, const Arguments& given) {
  expect_arguments(name, given, 2, {"sep", "maxsplit"});
  const Value separator = argument(given, 0, "sep");
  const int64_t limit = integer_argument(argument(given, 1, "maxsplit"), -1, name);
  if (separator.is_undefined() || separator.is_none()) {
    check<NotImplementedError>(name == "split" || limit < 0,
                               "chat template: rsplit at white space with a limit is not supported");
    return Value::list(split_at_spaces(text, limit));
  }
  const std::string& sep = text_argument(separator, name);
  return Value::list(name == "split" ? split_at(text, sep, limit) : split_from_right(text, sep, limit));
}

Value text_method(const std::string& text, const std::string& name, const Arguments& given) {
  const Value first = argument(given, 0, "");
  const size_t count = given.positional.size();
  if (name == "split" || name == "rsplit") return split_method(text, name, given);
  expect_arguments(name, given, 3, {});
  if (name == "strip" || name == "lstrip" || name == "rstrip")
    return Value::text(strip_text(text, first, name != "rstrip", name != "lstrip"));
  if (name == "startswith" || name == "endswith") {
    check<NotImplementedError>(count == 1, "chat template: ", name, " with ", count, " arguments is not supported");
    return Value::boolean(has_affix(text, first, name == "startswith", name));
  }
  if (name == "upper" || name == "lower" || name == "title" || name == "capitalize")
    return Value::text(change_case(text, name));
  if (name == "replace")
    return Value::text(replace_text(text, text_argument(first, name), text_argument(argument(given, 1, ""), name),
                                    integer_argument(argument(given, 2, ""), -1, name)));
  if (name == "join") return join(text, first);
  if (name == "splitlines" && count == 0) return Value::list(split_lines(text));
  if (name == "count" && count == 1) return Value::integer(count_of(text, text_argument(first, name)));
  if (name == "find" && count == 1) {
    const size_t at = text.find(text_argument(first, name));
    return Value::integer(at == text.npos ? -1 : static_cast<int64_t>(length_of(Value::text(text.substr(0, at)))));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    const std::string& part = text_argument(first, name);
    if (!has_affix(text, first, name == "removeprefix", name)) return Value::text(text);
    return Value::text(name == "removeprefix" ? text.substr(part.size()) : text.substr(0, text.size() - part.size()));
  }
  if (name == "isdigit") return Value::boolean(all_characters(text, [](auto c) { return c == UTF8PROC_CATEGORY_ND; }));
  if (name == "isalpha")
    return Value::boolean(
        all_characters(text, [](auto c) { return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO; }));
  if (name == "isspace") return Value::boolean(!text.empty() && strip_text(text, Value(), true, false).empty());
  fail<NotImplementedError>("chat template: the text method ", name, " with ", count, " arguments is not supported");
}

Value dict_method(const Dict& dict, const std::string& name, const Arguments& given) {
  expect_arguments(name, given, name == "get" ? 2 : 0, {"default"});
  if (name == "get") {
    const Value* found = dict.find(text_argument(argument(given, 0, ""), name));
    const Value otherwise = argument(given, 1, "default");
    return found ? *found : otherwise.is_undefined() ? Value() : otherwise;
  }
  std::vector<Value> out;
  check<NotImplementedError>(name == "items" || name == "keys" || name == "values",
                             "chat template: the mapping method ", name, " is not supported");
  for (const auto& [key, value] : dict.items)
    out.push_back(name == "keys"     ? Value::text(key)
                  : name == "values" ? value
                                     : Value::list({Value::text(key), value}));
  return Value::list(std::move(out));
}

Value list_method(const std::vector<Value>& list, const std::string& name, const Arguments& given) {
  check<NotImplementedError>(
      (name == "count" || name == "index") && given.positional.size() == 1 && given.named.empty(),
      "chat template: the list method ", name, " is not supported");
  int64_t count = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!equal(list[i], given.positional[0])) continue;
    if (name == "index") return Value::integer(static_cast<int64_t>(i));
    ++count;
  }
  check<ValueError>(name == "count", "chat template: index: the value is not in the list");
  return Value::integer(count);
}

}  // namespace

std::string strip_text(std::string_view text, const Value& characters, bool left, bool right) {
  const bool spaces = characters.is_undefined() || characters.is_none();
  const std::string wanted = spaces ? std::string() : text_argument(characters, "strip");
  const auto goes = [&](size_t begin, size_t end) {
    if (!spaces) return wanted.find(text.substr(begin, end - begin)) != std::string::npos;
    return is_space(decode_utf8(text, begin));
  };
  size_t begin = 0, end = text.size();
  while (left && begin < end) {
    const size_t next = begin + utf8_length(static_cast<unsigned char>(text[begin]));
    if (!goes(begin, next)) break;
    begin = next;
  }
  while (right && end > begin) {
    size_t last = end - 1;
    while (last > begin && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!goes(last, end)) break;
    end = last;
  }
  return std::string(text.substr(begin, end - begin));
}

std::string replace_text(std::string_view text, const std::string& from, const std::string& to, int64_t count) {
  check<NotImplementedError>(!from.empty(), "chat template: replacing an empty text is not supported");
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(from); at != text.npos && count != 0; at = text.find(from, done), --count) {
    append_limited(out, text.substr(done, at - done));
    append_limited(out, to);
    done = at + from.size();
  }
  append_limited(out, text.substr(done));
  return out;
}

std::string change_case(std::string_view text, const std::string& how) {
  std::string out;
  bool at_word = true;
  for (size_t pos = 0; pos < text.size();) {
    const auto code = static_cast<utf8proc_int32_t>(decode_utf8(text, pos));
    const bool up = how == "upper" || (how == "title" && at_word) || (how == "capitalize" && out.empty());
    append_code_point(out, static_cast<char32_t>(up ? utf8proc_toupper(code) : utf8proc_tolower(code)));
    const auto category = utf8proc_category(code);
    at_word = category < UTF8PROC_CATEGORY_LU || category > UTF8PROC_CATEGORY_LO;
  }
  return out;
}

Value call_method(const Value& object, const std::string& name, const Arguments& given) {
  if (object.is_text()) return text_method(object.as_text(), name, given);
  if (object.is_dict() && !object.is_namespace()) return dict_method(object.as_dict(), name, given);
  if (object.is_list()) return list_method(object.as_list(), name, given);
  fail<ValueError>("chat template: ", object.type_name(), " has no method ", name,
                   object.is_undefined() ? ": " + object.as_undefined().name + " is undefined" : "");
}

}  // namespace hearth::llm::jinja
