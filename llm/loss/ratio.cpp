// Ratios of probabilities, their clipping, and settings of losses.
#include "llm/loss/ratio.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "hearth/core/error.h"

namespace hearth::llm {

double loss_setting(const LossSpec& spec, const std::string& name, double fallback) {
  const auto at = spec.config.find(name);
  if (at == spec.config.end()) return fallback;
  check<ValueError>(std::isfinite(at->second), spec.name, ": setting must be finite: ", name, " = ", at->second);
  return at->second;
}

void refuse_other_settings(const LossSpec& spec, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : spec.config) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (std::string_view k : known) list += (list.empty() ? "" : ", ") + std::string(k);
    fail<ValueError>(spec.name, ": no such setting: '", name, "'; there ", list.empty() ? "are none" : "is ", list);
  }
}

std::string not_finite(std::string_view name, std::span<const float> values, std::span<const float> where) {
  for (size_t t = 0; t < values.size(); ++t) {
    if (std::isfinite(values[t]) || (!where.empty() && where[t] == 0)) continue;
    std::ostringstream out;
    out << name << "[" << t << "] is not finite: " << values[t];
    return out.str();
  }
  return {};
}

ClipRange::ClipRange(const LossSpec& spec, double low, double high)
    : low_(loss_setting(spec, "clip_low_threshold", low)), high_(loss_setting(spec, "clip_high_threshold", high)) {
  check<ValueError>(low_ <= high_ && high_ >= 0, spec.name,
                    ": clip_low_threshold must not be above clip_high_threshold, which must not be negative: ", low_,
                    ", ", high_);
}

double ClipRange::clip(const LossInputs& in, size_t t, double ratio) const {
  return std::min(std::max(ratio, low(in, t)), high(in, t));
}

std::string ClipRange::problem(const LossInputs& in) const {
  if (std::string text = not_finite("clip_low_threshold", in.clip_low_threshold); !text.empty()) return text;
  if (std::string text = not_finite("clip_high_threshold", in.clip_high_threshold); !text.empty()) return text;
  for (size_t t = 0; t < std::max(in.clip_low_threshold.size(), in.clip_high_threshold.size()); ++t) {
    if (low(in, t) <= high(in, t) && high(in, t) >= 0) continue;
    std::ostringstream out;
    out << "clip_low_threshold[" << t
        << "] must not be above clip_high_threshold, which must not be negative: " << low(in, t) << ", " << high(in, t);
    return out.str();
  }
  return {};
}

double ratio_of(const LossInputs& in, size_t t) { return std::exp(double(in.log_probs[t]) - double(in.logprobs[t])); }

std::string policy_problem(const LossInputs& in) {
  if (std::string text = not_finite("advantages", in.advantages); !text.empty()) return text;
  return not_finite("logprobs", in.logprobs, in.advantages);
}

}  // namespace hearth::llm
