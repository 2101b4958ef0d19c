// JSON bodies: strict getters with ranges, and the list of fields that a request may have.
#include "server/wire/body.h"

#include <algorithm>
#include <boost/json.hpp>

#include "hearth/core/error.h"

namespace hearth::server {

namespace json = boost::json;

JsonBody::JsonBody(std::string_view request, std::string_view bytes, size_t max_bytes) : request_(request) {
  if (bytes.empty()) {
    value_ = json::object();
  } else {
    JsonLimits limits;
    limits.max_bytes = max_bytes;
    value_ = parse_json(bytes, request_, limits);
  }
  fields_.emplace(value_, request_);
}

void JsonBody::known(std::initializer_list<std::string_view> names, UnknownFields* unknown) const {
  if (fields_->has("type")) {
    const std::string type = fields_->get_string("type");
    check<ValueError>(type == request_ || (request_ == "asample" && type == "sample"), request_, ": type: wants \"",
                      request_ == "asample" ? "sample" : request_, "\", is \"", type.substr(0, 100), "\"");
  }
  note_unknown(*fields_, names, request_, "", unknown);
}

void note_unknown(const JsonObject& object, std::initializer_list<std::string_view> names, std::string_view request,
                  std::string_view prefix, UnknownFields* unknown) {
  if (unknown == nullptr) return;
  for (const auto& member : object.object()) {
    const std::string_view key(member.key().data(), member.key().size());
    if (key == "type" || std::find(names.begin(), names.end(), key) != names.end()) continue;
    unknown->note(request, std::string(prefix) + std::string(key));
  }
}

int64_t get_int_in(const JsonObject& object, std::string_view key, int64_t low, int64_t high) {
  const int64_t number = object.get_int(key);
  if (number < low || number > high) {
    if (high == int64_max) fail<ValueError>(object.where(), ": ", key, ": must be at least ", low, ": ", number);
    fail<ValueError>(object.where(), ": ", key, ": must be from ", low, " to ", high, ": ", number);
  }
  return number;
}

int64_t get_int_in(const JsonObject& object, std::string_view key, int64_t low, int64_t high, int64_t fallback) {
  return object.has(key) ? get_int_in(object, key, low, high) : fallback;
}

std::optional<int64_t> find_int_in(const JsonObject& object, std::string_view key, int64_t low, int64_t high) {
  if (!object.has(key)) return std::nullopt;
  return get_int_in(object, key, low, high);
}

double get_double_in(const JsonObject& object, std::string_view key, double low, double high, double fallback) {
  const double number = object.get_double(key, fallback);
  check<ValueError>(number >= low && number <= high, object.where(), ": ", key, ": must be from ", low, " to ", high,
                    ": ", number);
  return number;
}

std::optional<uint64_t> find_seed(const JsonObject& object, std::string_view key) {
  const json::value* value = object.find(key);
  if (value == nullptr) return std::nullopt;
  if (const uint64_t* number = value->if_uint64()) return *number;
  return uint64_t(object.get_int(key));
}

std::string get_text(const JsonObject& object, std::string_view key, size_t most) {
  std::string text = object.get_string(key);
  check<ValueError>(!text.empty(), object.where(), ": ", key, ": is empty");
  check<ValueError>(text.size() <= most, object.where(), ": ", key, ": is longer than ", most, " bytes: ", text.size());
  return text;
}

std::optional<std::string> find_text(const JsonObject& object, std::string_view key, size_t most) {
  if (!object.has(key)) return std::nullopt;
  return get_text(object, key, most);
}

std::string get_metadata(const JsonObject& object, std::string_view key, int64_t max_bytes, bool strings) {
  if (!object.has(key)) return "{}";
  const JsonObject metadata = object.get_object(key);
  if (strings) {
    for (const auto& member : metadata.object()) {
      check<ValueError>(member.value().is_string(), metadata.where(), ": ",
                        std::string_view(member.key()).substr(0, 100), ": wants a string, is ",
                        json_kind(member.value()));
    }
  }
  std::string text = json::serialize(metadata.object());
  check<ValueError>(int64_t(text.size()) <= max_bytes, metadata.where(), ": is larger than ", max_bytes,
                    " bytes: ", text.size());
  return text;
}

void refuse_field(const JsonObject& object, std::string_view key, std::string_view instead) {
  const json::value* value = object.find(key);
  if (value == nullptr || (value->is_bool() && !value->get_bool())) return;
  fail<ValueError>(object.where(), ": ", key, ": is not offered", instead.empty() ? "" : "; ", instead);
}

std::vector<int32_t> get_tokens(const json::value& list, const std::string& where) {
  const json::array* array = list.if_array();
  check<ValueError>(array != nullptr, where, ": wants a list of token ids, is ", json_kind(list));
  std::vector<int32_t> tokens;
  tokens.reserve(array->size());
  for (const json::value& element : *array) {
    const int64_t* number = element.if_int64();
    if (number == nullptr) fail<ValueError>(where, "[", tokens.size(), "]: wants an integer, is ", json_kind(element));
    check<ValueError>(*number >= 0 && *number <= int32_max, where, "[", tokens.size(), "]: is no token id: ", *number);
    tokens.push_back(int32_t(*number));
  }
  return tokens;
}

}  // namespace hearth::server
