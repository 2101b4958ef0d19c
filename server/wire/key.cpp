// read_key: which operation a body is, read from as much of it as can be read.
#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

#include "hearth/io/utf8.h"
#include "server/wire/command.h"
#include "server/wire/scan.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

constexpr size_t longest_id = 1024;

/// What the outermost object says of itself, as far as the text can be parsed.
struct Found {
  std::string model_id, session_id;
  int64_t seq_id = -1, model_seq_id = -1;
};

// Listens to the parser and keeps four members of the outermost object.
struct KeyListener {
  static constexpr size_t max_object_size = size_t(1) << 31;
  static constexpr size_t max_array_size = size_t(1) << 31;
  static constexpr size_t max_key_size = size_t(1) << 31;
  static constexpr size_t max_string_size = size_t(1) << 31;

  Found found;
  int depth = 0;
  std::string key, text;

  bool open() {
    ++depth;
    return true;
  }
  bool close() {
    --depth;
    return true;
  }
  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return open(); }
  bool on_object_end(size_t, json::error_code&) { return close(); }
  bool on_array_begin(json::error_code&) { return open(); }
  bool on_array_end(size_t, json::error_code&) { return close(); }
  bool on_key_part(json::string_view part, size_t, json::error_code&) { return append(key, part); }
  bool on_key(json::string_view part, size_t, json::error_code&) {
    append(key, part);
    if (depth == 1) current = key;
    key.clear();
    return true;
  }
  bool on_string_part(json::string_view part, size_t, json::error_code&) { return append(text, part); }
  bool on_string(json::string_view part, size_t, json::error_code&) {
    append(text, part);
    if (depth == 1 && current == "model_id") found.model_id = text;
    if (depth == 1 && current == "session_id") found.session_id = text;
    text.clear();
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t number, json::string_view, json::error_code&) {
    if (depth == 1 && current == "seq_id") found.seq_id = number;
    if (depth == 1 && current == "model_seq_id") found.model_seq_id = number;
    return true;
  }
  bool on_uint64(uint64_t, json::string_view, json::error_code&) { return true; }
  // Decoders take whole numbers that are written with a point or an exponent.
  bool on_double(double number, json::string_view text, json::error_code& error) {
    const bool whole = std::abs(number) < 9007199254740992.0 && number == std::floor(number);
    return whole ? on_int64(int64_t(number), text, error) : true;
  }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  static bool append(std::string& to, json::string_view part) {
    to.append(part.data(), std::min(part.size(), 4 * longest_id - std::min(to.size(), 4 * longest_id)));
    return true;
  }
  std::string current;
};

Found find_in_json(std::string_view body) {
  json::parse_options options;
  options.max_depth = 64;
  json::basic_parser<KeyListener> parser(options);
  json::error_code error;
  parser.write_some(false, body.data(), body.size(), error);
  return parser.handler().found;
}

Found find_in_protobuf(std::string_view body) {
  Found found;
  WireField field;
  while (next_field(body, field)) {
    if (field.number == 1 && field.type == 2) found.model_id = field.bytes;
    if (field.number == 2 && field.type == 0) found.seq_id = int32_t(field.value);
  }
  return found;
}

bool usable(const std::string& id) {
  return !id.empty() && id.size() <= longest_id && find_invalid_utf8(id) == std::string_view::npos;
}

std::optional<OperationKey> key_of(CommandKind kind, const Found& found) {
  const bool creates =
      kind == CommandKind::create_model || (kind == CommandKind::load_weights && found.model_id.empty());
  if (creates) {
    if (!usable(found.session_id) || found.model_seq_id < 0) return std::nullopt;
    return OperationKey{training_id(found.session_id, found.model_seq_id), OperationKey::creation, found.session_id};
  }
  if (!usable(found.model_id)) return std::nullopt;
  if (kind == CommandKind::unload_model) return OperationKey{found.model_id, OperationKey::unnumbered, {}};
  if (found.seq_id < 1) return std::nullopt;
  return OperationKey{found.model_id, found.seq_id, {}};
}

}  // namespace

std::optional<OperationKey> read_key(CommandKind kind, std::string_view body) {
  try {
    return key_of(kind, kind == CommandKind::forward_backward ? find_in_protobuf(body) : find_in_json(body));
  } catch (const std::exception&) {
    return std::nullopt;  // out of memory
  }
}

}  // namespace hearth::server
