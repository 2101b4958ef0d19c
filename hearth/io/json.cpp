// JSON: bounded parsing over Boost.JSON with the place of an error, and getters that name the key they miss.
#include "hearth/io/json.h"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <unordered_set>
#include <vector>

#include "hearth/core/error.h"
#include "hearth/io/file.h"

namespace hearth {

namespace json = boost::json;

namespace {

// Builds the value and counts the keys: fewer in the value than in the text means that one came twice.
struct Builder {
  static constexpr size_t max_object_size = size_t(1) << 31;
  static constexpr size_t max_array_size = size_t(1) << 31;
  static constexpr size_t max_key_size = size_t(1) << 31;
  static constexpr size_t max_string_size = size_t(1) << 31;

  json::value_stack stack;
  size_t keys = 0;

  bool on_document_begin(json::error_code&) {
    stack.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(size_t count, json::error_code&) {
    keys += count;
    stack.push_object(count);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(size_t count, json::error_code&) {
    stack.push_array(count);
    return true;
  }
  bool on_key_part(json::string_view text, size_t, json::error_code&) {
    stack.push_chars(text);
    return true;
  }
  bool on_key(json::string_view text, size_t, json::error_code&) {
    stack.push_key(text);
    return true;
  }
  bool on_string_part(json::string_view text, size_t, json::error_code&) {
    stack.push_chars(text);
    return true;
  }
  bool on_string(json::string_view text, size_t, json::error_code&) {
    stack.push_string(text);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t number, json::string_view, json::error_code&) {
    stack.push_int64(number);
    return true;
  }
  bool on_uint64(uint64_t number, json::string_view, json::error_code&) {
    stack.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view, json::error_code&) {
    stack.push_double(number);
    return true;
  }
  bool on_bool(bool truth, json::error_code&) {
    stack.push_bool(truth);
    return true;
  }
  bool on_null(json::error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

size_t count_keys(const json::value& value) {
  size_t count = 0;
  if (const json::object* object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object) count += count_keys(member.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) count += count_keys(element);
  }
  return count;
}

[[noreturn]] void fail_at(std::string_view text, size_t offset, const std::string& name, const JsonLimits& limits,
                          const std::string& reason) {
  offset = std::min(offset, text.size());
  int64_t line = limits.first_line;
  size_t line_start = 0;
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] != '\n') continue;
    ++line;
    line_start = i + 1;
  }
  fail<ValueError>(name, ":", line, ":", offset - line_start + 1, ": ", reason);
}

std::string quoted(std::string_view key) {
  constexpr size_t shown = 100;
  return "\"" + std::string(key.substr(0, shown)) + (key.size() > shown ? "...\"" : "\"");
}

// Second pass, only for the message: which key comes twice.
struct DuplicateFinder : Builder {
  std::vector<std::unordered_set<std::string>> open;
  std::string part, found;

  bool on_object_begin(json::error_code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(size_t, json::error_code&) {
    open.pop_back();
    return true;
  }
  bool on_array_end(size_t, json::error_code&) { return true; }
  bool on_key_part(json::string_view text, size_t, json::error_code&) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_key(json::string_view text, size_t, json::error_code& error) {
    part.append(text.data(), text.size());
    const bool fresh = open.back().insert(part).second;
    if (!fresh) {
      found = part;
      error = json::error::syntax;
    }
    part.clear();
    return fresh;
  }
  bool on_string_part(json::string_view, size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, size_t, json::error_code&) { return true; }
  bool on_int64(int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
};

[[noreturn]] void fail_duplicate(std::string_view text, const json::parse_options& options, const std::string& name,
                                 const JsonLimits& limits) {
  json::basic_parser<DuplicateFinder> parser(options);
  json::error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  fail_at(text, used, name, limits, "the key " + quoted(parser.handler().found) + " comes twice");
}

}  // namespace

json::value parse_json(std::string_view text, const std::string& name, const JsonLimits& limits) {
  check<ValueError>(text.size() <= limits.max_bytes, name, ": JSON is larger than ", limits.max_bytes,
                    " bytes: ", text.size(), " bytes");
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<Builder> parser(options);
  json::error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error) fail_at(text, used, name, limits, "not valid JSON: " + error.message());
  const size_t rest = text.find_first_not_of(" \t\r\n", used);
  if (rest != std::string_view::npos) fail_at(text, rest, name, limits, "not valid JSON: more text after the value");
  json::value value = parser.handler().stack.release();
  if (count_keys(value) != parser.handler().keys) fail_duplicate(text, options, name, limits);
  return value;
}

json::value read_json(const std::string& path, const JsonLimits& limits, FileSystem& fs) {
  return parse_json(read_file(path, limits.max_bytes, fs), path, limits);
}

const char* json_kind(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "unknown";
}

JsonObject::JsonObject(const json::value& value, std::string where)
    : object_(value.if_object()), where_(std::move(where)) {
  check<ValueError>(object_ != nullptr, where_, ": wants an object, is ", json_kind(value));
}

const json::value* JsonObject::find(std::string_view key) const {
  const json::value* value = object_->if_contains(json::string_view(key.data(), key.size()));
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::value& JsonObject::need(std::string_view key) const {
  const json::value* value = find(key);
  check<ValueError>(value != nullptr, where_, ": ", key, ": is missing");
  return *value;
}

void JsonObject::wrong_kind(std::string_view key, const char* wanted, const json::value& value) const {
  fail<ValueError>(where_, ": ", key, ": wants ", wanted, ", is ", json_kind(value));
}

int64_t JsonObject::get_int(std::string_view key) const {
  const json::value& value = need(key);
  if (const int64_t* number = value.if_int64()) return *number;
  check<ValueError>(!value.is_uint64(), where_, ": ", key, ": is larger than 2^63 - 1");
  // Python's json writes 1e6 and 10000.0 for whole numbers.
  if (const double* number = value.if_double()) {
    check<ValueError>(std::abs(*number) < 9007199254740992.0 && *number == std::floor(*number), where_, ": ", key,
                      ": wants an integer, is ", *number);
    return int64_t(*number);
  }
  wrong_kind(key, "an integer", value);
}

double JsonObject::get_double(std::string_view key) const {
  const json::value& value = need(key);
  if (const double* number = value.if_double()) {
    check<ValueError>(std::isfinite(*number), where_, ": ", key, ": is too large for a number");
    return *number;
  }
  if (const int64_t* number = value.if_int64()) return double(*number);
  if (const uint64_t* number = value.if_uint64()) return double(*number);
  wrong_kind(key, "a number", value);
}

bool JsonObject::get_bool(std::string_view key) const {
  const json::value& value = need(key);
  if (const bool* truth = value.if_bool()) return *truth;
  wrong_kind(key, "a boolean", value);
}

std::string JsonObject::get_string(std::string_view key) const {
  const json::value& value = need(key);
  if (const json::string* text = value.if_string()) return std::string(text->data(), text->size());
  wrong_kind(key, "a string", value);
}

int64_t JsonObject::get_int(std::string_view key, int64_t fallback) const { return has(key) ? get_int(key) : fallback; }

double JsonObject::get_double(std::string_view key, double fallback) const {
  return has(key) ? get_double(key) : fallback;
}

bool JsonObject::get_bool(std::string_view key, bool fallback) const { return has(key) ? get_bool(key) : fallback; }

std::string JsonObject::get_string(std::string_view key, std::string_view fallback) const {
  return has(key) ? get_string(key) : std::string(fallback);
}

JsonObject JsonObject::get_object(std::string_view key) const {
  const json::value& value = need(key);
  if (!value.is_object()) wrong_kind(key, "an object", value);
  return JsonObject(value, where_ + ": " + std::string(key));
}

const json::array& JsonObject::get_array(std::string_view key) const {
  const json::value& value = need(key);
  if (const json::array* array = value.if_array()) return *array;
  wrong_kind(key, "a list", value);
}

}  // namespace hearth
