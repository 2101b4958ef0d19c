// Protobuf bytes looked at without decoding them: fields that nobody knows, and what a broken message began with.
#include "server/wire/scan.h"

#include <span>
#include <string>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

enum WireType { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Known;

/// A message: its name and its fields, which are numbered 1, 2, ...
struct Message {
  const char* name;
  std::span<const Known> fields;
};

struct Known {
  WireType type;
  const Message* inner = nullptr;
  bool packed = false;  ///< may come packed (bytes) or not (varint)
};

extern const Message datum, chunk, text_chunk, image_chunk, dimensions, audio_chunk, tensor, sparse, span_message, run,
    number_entry, value_entry, value_message, tensor_entry;

constexpr Known request_fields[] = {
    {bytes}, {varint}, {bytes, &datum}, {bytes}, {bytes, &number_entry}, {varint}, {bytes, &value_entry}};
constexpr Known datum_fields[] = {
    {bytes, &chunk}, {bytes, &tensor_entry}, {bytes, &span_message}, {bytes, &span_message}};
constexpr Known chunk_fields[] = {{bytes, &text_chunk}, {bytes, &image_chunk}, {bytes, &audio_chunk}};
constexpr Known one_bytes_field[] = {{bytes}};
constexpr Known image_fields[] = {{bytes}, {bytes}, {varint}, {bytes, &dimensions}};
constexpr Known two_varints[] = {{varint}, {varint}};
constexpr Known tensor_fields[] = {{bytes}, {bytes, &sparse}, {varint}, {varint, nullptr, true}};
constexpr Known three_bytes[] = {{bytes}, {bytes}, {bytes}};
constexpr Known span_fields[] = {{bytes, &run}, {bytes, &run}};
constexpr Known run_fields[] = {{bytes}, {varint}, {varint}};
constexpr Known number_entry_fields[] = {{bytes}, {fixed64}};
constexpr Known value_entry_fields[] = {{bytes}, {bytes, &value_message}};
constexpr Known value_fields[] = {{fixed64}, {bytes}};
constexpr Known tensor_entry_fields[] = {{bytes}, {bytes, &tensor}};

constexpr Message request{"request", request_fields};
constexpr Message datum{"data", datum_fields};
constexpr Message chunk{"data.model_input", chunk_fields};
constexpr Message text_chunk{"data.model_input.encoded_text", one_bytes_field};
constexpr Message image_chunk{"data.model_input.image", image_fields};
constexpr Message dimensions{"data.model_input.image.override_dimensions", two_varints};
constexpr Message audio_chunk{"data.model_input.dmel", one_bytes_field};
constexpr Message tensor{"data.loss_fn_inputs", tensor_fields};
constexpr Message sparse{"data.loss_fn_inputs.sparse_csr", three_bytes};
constexpr Message span_message{"data.spans", span_fields};
constexpr Message run{"data.spans.tokens", run_fields};
constexpr Message number_entry{"loss_fn_config", number_entry_fields};
constexpr Message value_entry{"loss_fn_config_v2", value_entry_fields};
constexpr Message value_message{"loss_fn_config_v2.value", value_fields};
constexpr Message tensor_entry{"data.loss_fn_inputs.entry", tensor_entry_fields};

bool take_varint(std::string_view& rest, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < rest.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    if (i == 9 && byte > 1) return false;
    value |= uint64_t(byte & 0x7F) << (7 * i);
    if (byte & 0x80) continue;
    rest.remove_prefix(i + 1);
    return true;
  }
  return false;
}

bool take_fixed(std::string_view& rest, size_t size, WireField& field) {
  if (rest.size() < size) return false;
  field.bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

void scan(const Message& message, std::string_view rest, UnknownFields* unknown, int& noted) {
  constexpr int most_noted = 64;
  WireField field;
  while (next_field(rest, field)) {
    if (field.number > message.fields.size()) {
      if (unknown != nullptr && ++noted <= most_noted) {
        unknown->note("forward_backward", std::string(message.name) + " field " + std::to_string(field.number));
      }
      continue;
    }
    const Known& known = message.fields[field.number - 1];
    check<ValueError>(field.type == known.type || (known.packed && field.type == bytes),
                      "forward_backward: ", message.name, ": field ", field.number, " has wire type ", field.type,
                      ", not ", int(known.type));
    if (known.inner != nullptr) scan(*known.inner, field.bytes, unknown, noted);
  }
  check<ValueError>(rest.empty(), "forward_backward: ", message.name, ": the message is cut short or broken");
}

}  // namespace

bool next_field(std::string_view& rest, WireField& field) {
  std::string_view after = rest;
  uint64_t tag = 0;
  if (rest.empty() || !take_varint(after, tag) || tag >> 3 == 0 || tag > UINT32_MAX) return false;
  field = {uint32_t(tag >> 3), int(tag & 7), 0, {}};
  uint64_t size = 0;
  switch (field.type) {
    case varint:
      if (!take_varint(after, field.value)) return false;
      break;
    case fixed64:
      if (!take_fixed(after, 8, field)) return false;
      break;
    case fixed32:
      if (!take_fixed(after, 4, field)) return false;
      break;
    case bytes:
      if (!take_varint(after, size) || size > after.size() || !take_fixed(after, size_t(size), field)) return false;
      break;
    default:
      return false;
  }
  rest = after;
  return true;
}

void scan_forward_backward(std::string_view body, UnknownFields* unknown) {
  int noted = 0;
  scan(request, body, unknown, noted);
}

}  // namespace hearth::server
