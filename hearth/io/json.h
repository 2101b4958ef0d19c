// JSON: bounded parsing over Boost.JSON with the place of an error, and getters that name the key they miss.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hearth/io/file_system.h"

namespace hearth {

/// What a JSON text may be at most. `first_line` is the number of its first line in messages.
struct JsonLimits {
  size_t max_bytes = size_t(256) << 20;
  size_t max_depth = 64;
  int64_t first_line = 1;
};

/// Parses strict JSON (RFC 8259, UTF-8, no duplicate keys). `name` is the file or other source in messages.
/// Raises ValueError: `NAME:LINE:COLUMN: REASON`.
boost::json::value parse_json(std::string_view text, const std::string& name, const JsonLimits& limits = {});

/// Reads and parses a file. Raises IoError when it cannot be read, ValueError when it is not JSON.
boost::json::value read_json(const std::string& path, const JsonLimits& limits = {},
                             FileSystem& fs = real_file_system());

/// "an object", "a string", "an integer"...: the kind of a value in words, for messages.
const char* json_kind(const boost::json::value& value);

/// A look at a JSON object that knows where it comes from. Keys that are absent or null are missing. The object must
/// outlive it. Getters raise ValueError: `config.json: hidden_size: is missing` or `...: wants an integer, is a
/// string`; with a fallback, a missing key gives the fallback. Example: JsonObject config(value, "config.json");
/// int64_t hidden = config.get_int("hidden_size");
class JsonObject {
 public:
  JsonObject(const boost::json::value& value, std::string where);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  int64_t get_int(std::string_view key) const;
  int64_t get_int(std::string_view key, int64_t fallback) const;
  double get_double(std::string_view key) const;
  double get_double(std::string_view key, double fallback) const;
  bool get_bool(std::string_view key) const;
  bool get_bool(std::string_view key, bool fallback) const;
  std::string get_string(std::string_view key) const;
  std::string get_string(std::string_view key, std::string_view fallback) const;
  JsonObject get_object(std::string_view key) const;
  const boost::json::array& get_array(std::string_view key) const;

  /// The value, or nullptr when the key is absent or null.
  const boost::json::value* find(std::string_view key) const;
  const boost::json::object& object() const { return *object_; }
  const std::string& where() const { return where_; }

 private:
  const boost::json::value& need(std::string_view key) const;
  [[noreturn]] void wrong_kind(std::string_view key, const char* wanted, const boost::json::value& value) const;

  const boost::json::object* object_;
  std::string where_;
};

}  // namespace hearth
