// Names: what clients may call things, and how ids become names of folders. No client text becomes a path unencoded.
#pragma once

#include <string>
#include <string_view>

#include "server/store/records.h"

namespace hearth::server {

/// Whether a client may give this name to a checkpoint: [A-Za-z0-9._-]{1,255}, neither "." nor "..".
bool is_valid_name(std::string_view name);
/// Raises ValueError `WHAT: ...` for a name that is not valid.
void check_name(std::string_view what, std::string_view name);

/// A name for a file or folder that stands for any text: letters, digits, `_`, `-` and `.` stay (not a dot in front),
/// other bytes become %XX; what would be longer than 180 bytes is cut and ends in a hash. Different texts have
/// different names. Never empty, ".", "..", and never holds "/", "+" or a zero byte.
/// Example: encode_name("S:train:0") == "S%3Atrain%3A0"
std::string encode_name(std::string_view text);

std::string_view to_text(CheckpointType type);          ///< weights, sampler_weights, external_weights
CheckpointType checkpoint_type(std::string_view text);  ///< raises ValueError

/// The parts of tinker://RUN/TYPE/NAME.
struct CheckpointPath {
  std::string run;
  CheckpointType type = CheckpointType::weights;
  std::string name;
  std::string text() const;
};

/// Raises ValueError naming what is wrong: prefix, number of parts, type, name.
CheckpointPath parse_checkpoint_path(std::string_view path);

}  // namespace hearth::server
