// The learning rate of each step of a run.
#include "llm/tune/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hearth/core/error.h"

namespace hearth::llm {

double scheduled_rate(const std::string& schedule, double peak, int64_t step, int64_t warmup, int64_t total) {
  if (step < warmup) return peak * double(step + 1) / double(warmup);
  if (schedule == "constant") return peak;
  const double progress = double(step - warmup) / double(std::max<int64_t>(total - warmup, 1));
  if (schedule == "linear") return peak * (1 - progress);
  check<ValueError>(schedule == "cosine", "tune: schedule must be cosine, linear or constant: '", schedule, "'");
  return peak * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace hearth::llm
