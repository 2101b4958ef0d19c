// Protobuf bytes looked at without decoding them: fields that nobody knows, and what a broken message began with.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/wire/unknown_fields.h"

namespace hearth::server {

/// One field of a message: `number` of .proto, wire type 0 (`value`), 1 and 5 (fixed), or 2 (`bytes`).
struct WireField {
  uint32_t number = 0;
  int type = 0;
  uint64_t value = 0;
  std::string_view bytes;
};

/// Takes the next field from the front of `rest`; false at its end, and where what follows is no field (then `rest`
/// is not empty). Example: for (WireField field; next_field(rest, field);) ...
bool next_field(std::string_view& rest, WireField& field);

/// Walks a ForwardBackwardRequest: notes fields that this server does not know. Raises ValueError for a known field
/// that has another wire type than it should (decoders would skip it) and for what is no message.
void scan_forward_backward(std::string_view body, UnknownFields* unknown);

}  // namespace hearth::server
