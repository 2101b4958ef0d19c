// The learning rate of each step of a run.
#pragma once

#include <cstdint>
#include <string>

namespace hearth::llm {

/// Rate of step number `step` (0 .. total - 1): rising in a line over the warm-up, then as `schedule` says: constant,
/// falling in a line to nothing, or along half a cosine. Raises ValueError for another name.
double scheduled_rate(const std::string& schedule, double peak, int64_t step, int64_t warmup, int64_t total);

}  // namespace hearth::llm
