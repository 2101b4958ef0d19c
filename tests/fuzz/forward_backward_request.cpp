// Fuzzes the protobuf body of forward_backward and the two protobuf answers: any bytes are a message or one error, and
// an accepted answer comes out of the encoder as it was understood.
#include "hearth/core/error.h"
#include "server/wire/command.h"
#include "server/wire/result.h"
#include "server/wire/unknown_fields.h"

using namespace hearth::server;

namespace {

// What decoding promises about every command that it gives out.
void check_command(const ForwardBackward& command) {
  for (const Datum& datum : command.data) {
    if (datum.tokens.empty()) __builtin_trap();
    for (const auto& [name, input] : datum.inputs) {
      int64_t size = 1;
      for (const int64_t dimension : input.shape) size *= dimension;
      if (input.shape[0] != int64_t(datum.tokens.size())) __builtin_trap();
      if (size != int64_t(input.floats.size() + input.integers.size())) __builtin_trap();
    }
  }
}

template <class Decode>
void there_and_back(Decode decode, std::string_view bytes) {
  try {
    const std::string once = encode(decode(bytes)).bytes;
    if (encode(decode(once)).bytes != once) __builtin_trap();
  } catch (const hearth::ValueError&) {
  } catch (const hearth::ShapeError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  WireLimits limits;
  limits.values = 1 << 20;
  try {
    UnknownFields unknown;
    const auto command =
        std::get<ForwardBackward>(decode_training(CommandKind::forward_backward, bytes, &unknown, limits));
    check_command(command);
    const auto key = read_key(CommandKind::forward_backward, bytes);
    if (!key || key->model_id != command.model_id || key->seq_id != command.seq_id) __builtin_trap();
  } catch (const hearth::ValueError&) {
    read_key(CommandKind::forward_backward, bytes);
  }
  there_and_back(decode_forward_backward_result, bytes);
  there_and_back(decode_sample_result, bytes);
  return 0;
}
