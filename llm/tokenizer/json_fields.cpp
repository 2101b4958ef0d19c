// JSON fields: typed access to the objects of tokenizer files.
#include "llm/tokenizer/json_fields.h"

#include <algorithm>

#include "hearth/core/error.h"

namespace hearth::llm {

boost::json::value parse_json(std::string_view text, const std::string& name) {
  boost::json::stream_parser parser;
  boost::json::error_code error;
  const size_t read = parser.write_some(text, error);
  if (!error && read < text.size()) {
    const bool blank = std::all_of(text.begin() + read, text.end(), [](char c) {
      return std::string_view(" \t\r\n\0", 5).find(c) != std::string_view::npos;
    });
    check<ValueError>(blank, name, ": not JSON: text behind the value at byte ", read);
  }
  if (!error) parser.finish(error);
  check<ValueError>(!error, name, ": not JSON: ", error.message(), " at byte ", read);
  return parser.release();
}

JsonFields::JsonFields(const boost::json::value& value, std::string where) : where_(std::move(where)) {
  check<ValueError>(value.is_object(), where_, ": should be an object");
  object_ = &value.get_object();
}

const boost::json::value* JsonFields::find(std::string_view key) const {
  const boost::json::value* value = object_->if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

const boost::json::value& JsonFields::need(std::string_view key) const {
  const boost::json::value* value = find(key);
  check<ValueError>(value != nullptr, where_, ": ", key, " is missing");
  return *value;
}

JsonFields JsonFields::child(std::string_view key) const { return {need(key), where_ + ": " + std::string(key)}; }

std::string JsonFields::text(std::string_view key) const {
  const boost::json::value& value = need(key);
  check<ValueError>(value.is_string(), where_, ": ", key, " should be a string");
  return std::string(value.get_string());
}

std::string JsonFields::text_or(std::string_view key, std::string_view otherwise) const {
  return find(key) ? text(key) : std::string(otherwise);
}

bool JsonFields::flag_or(std::string_view key, bool otherwise) const {
  const boost::json::value* value = find(key);
  if (!value) return otherwise;
  check<ValueError>(value->is_bool(), where_, ": ", key, " should be true or false");
  return value->get_bool();
}

int64_t JsonFields::integer(std::string_view key) const {
  const boost::json::value& value = need(key);
  check<ValueError>(value.is_int64(), where_, ": ", key, " should be an integer");
  return value.get_int64();
}

const boost::json::array& JsonFields::list(std::string_view key) const {
  const boost::json::value& value = need(key);
  check<ValueError>(value.is_array(), where_, ": ", key, " should be a list");
  return value.get_array();
}

void JsonFields::expect_only(std::initializer_list<std::string_view> known) const {
  for (const auto& field : *object_) {
    const std::string_view key(field.key().data(), field.key().size());
    check<NotImplementedError>(std::find(known.begin(), known.end(), key) != known.end(), where_, ": field \"", key,
                               "\" is not supported");
  }
}

}  // namespace hearth::llm
