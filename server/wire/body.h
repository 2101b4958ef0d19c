// JSON bodies: strict getters with ranges, and the list of fields that a request may have.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/io/json.h"
#include "server/wire/unknown_fields.h"

namespace hearth::server {

/// A JSON body and the request that it belongs to; keeps the values that JsonObject looks at.
/// Example: JsonBody body("optim_step", bytes); body.known({"model_id", "seq_id"}, unknown);
class JsonBody {
 public:
  /// Raises ValueError for what is no JSON object. An empty body counts as {}.
  JsonBody(std::string_view request, std::string_view bytes, size_t max_bytes = size_t(64) << 20);
  JsonBody(const JsonBody&) = delete;

  const JsonObject& fields() const { return *fields_; }
  std::string_view request() const { return request_; }
  /// Notes every field that is not in the list. "type" is always known and must name the request, or "sample".
  void known(std::initializer_list<std::string_view> names, UnknownFields* unknown) const;

 private:
  std::string request_;
  boost::json::value value_;
  std::optional<JsonObject> fields_;
};

/// Notes fields of `object` that are not in the list, as REQUEST.PREFIX.FIELD.
void note_unknown(const JsonObject& object, std::initializer_list<std::string_view> names, std::string_view request,
                  std::string_view prefix, UnknownFields* unknown);

/// Integers and numbers within a range, both ends included. Raise ValueError naming the field.
int64_t get_int_in(const JsonObject& object, std::string_view key, int64_t low, int64_t high);
int64_t get_int_in(const JsonObject& object, std::string_view key, int64_t low, int64_t high, int64_t fallback);
std::optional<int64_t> find_int_in(const JsonObject& object, std::string_view key, int64_t low, int64_t high);
double get_double_in(const JsonObject& object, std::string_view key, double low, double high, double fallback);
/// Any integer of 64 bits, signed or not; negative ones wrap around, as PyTorch's seeds do.
std::optional<uint64_t> find_seed(const JsonObject& object, std::string_view key);

/// A text that is not empty and has at most `most` bytes.
std::string get_text(const JsonObject& object, std::string_view key, size_t most = 1024);
std::optional<std::string> find_text(const JsonObject& object, std::string_view key, size_t most = 1024);
/// An object as JSON text; "{}" when it is absent. `strings`: its values must be texts.
std::string get_metadata(const JsonObject& object, std::string_view key, int64_t max_bytes, bool strings);
/// Raises unless `key` is absent, null, or false: fields that are known but not offered.
void refuse_field(const JsonObject& object, std::string_view key, std::string_view instead);

/// A list of token ids: integers that fit 32 bits and are not negative.
std::vector<int32_t> get_tokens(const boost::json::value& list, const std::string& where);

inline constexpr int64_t int64_max = std::numeric_limits<int64_t>::max();
inline constexpr int64_t int32_max = std::numeric_limits<int32_t>::max();

}  // namespace hearth::server
