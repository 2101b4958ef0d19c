// Fuzzes JSON bodies: any bytes, as any request, are a command or one error; a command has a key.
#include "hearth/core/error.h"
#include "server/wire/command.h"
#include "server/wire/tinker_path.h"
#include "server/wire/unknown_fields.h"

using namespace hearth::server;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  UnknownFields unknown;
  for (const auto kind :
       {CommandKind::create_model, CommandKind::load_weights, CommandKind::optim_step, CommandKind::save_weights,
        CommandKind::save_weights_for_sampler, CommandKind::save_weights_external, CommandKind::unload_model}) {
    const auto key = read_key(kind, bytes);
    try {
      decode_training(kind, bytes, &unknown);
    } catch (const hearth::ValueError&) {
      continue;
    }
    if (!key) __builtin_trap();
  }
  try {
    WireLimits limits;
    limits.values = 1 << 20;
    const Sample sample = decode_sample(bytes, &unknown, limits);
    if (sample.prompt.empty() || sample.temperature < 0) __builtin_trap();
  } catch (const hearth::ValueError&) {
  }
  try {
    const TinkerPath path = parse_tinker_path(bytes, "path");
    if (path.text() != bytes || path.name.find('/') != std::string::npos) __builtin_trap();
  } catch (const hearth::ValueError&) {
  }
  return 0;
}
