// Paths of checkpoints: tinker://RUN/TYPE/NAME.
#pragma once

#include <string>
#include <string_view>

namespace hearth::server {

/// The parts of a checkpoint's path. `type` is weights, sampler_weights or external_weights.
struct TinkerPath {
  std::string run, type, name;
  std::string text() const { return "tinker://" + run + "/" + type + "/" + name; }
  bool operator==(const TinkerPath&) const = default;
};

/// Reads a path; `where` (request and field) begins the message of the ValueError that anything else raises.
/// Example: parse_tinker_path("tinker://s:train:0/weights/0001", "load_weights: path").name == "0001"
TinkerPath parse_tinker_path(std::string_view text, std::string_view where);

/// Raises ValueError unless a name is [A-Za-z0-9._-]{1,255} and neither "." nor "..".
void check_checkpoint_name(std::string_view name, std::string_view where);

}  // namespace hearth::server
