// Telemetry: what clients report about themselves.
#pragma once

#include <string_view>

namespace hearth::server {

/// Logs the failures that a batch of events reports, at most ten of them, and the rest at level debug. Never raises:
/// a client repeats a batch for ever that is refused.
void log_telemetry(std::string_view body);

}  // namespace hearth::server
