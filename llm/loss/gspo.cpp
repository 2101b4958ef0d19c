// Group sequence policy optimisation.
#include "llm/loss/gspo.h"

#include <cmath>
#include <sstream>

namespace hearth::llm {

namespace {

double mask_of(const LossInputs& in, size_t t) {
  return in.sequence_ratio_mask.empty() ? double(in.advantages[t] != 0) : double(in.sequence_ratio_mask[t]);
}

double sequence_ratio(const LossInputs& in) {
  double sum = 0, count = 0;
  for (size_t t = 0; t < in.advantages.size(); ++t) {
    const double mask = mask_of(in, t);
    if (mask == 0) continue;
    sum += mask * (double(in.log_probs[t]) - double(in.logprobs[t]));
    count += mask;
  }
  return std::exp(sum / count);
}

}  // namespace

GspoLoss::GspoLoss(const LossSpec& spec) : range_(spec, 1 - 3e-4, 1 + 4e-4) {
  refuse_other_settings(spec, {"clip_low_threshold", "clip_high_threshold"});
}

std::string GspoLoss::problem(const LossInputs& in) const {
  if (std::string text = not_finite("advantages", in.advantages); !text.empty()) return text;
  if (std::string text = not_finite("sequence_ratio_mask", in.sequence_ratio_mask); !text.empty()) return text;
  double count = 0;
  bool any = false;
  for (size_t t = 0; t < in.advantages.size(); ++t) {
    const double mask = mask_of(in, t);
    std::ostringstream out;
    if (mask < 0) {
      out << "sequence_ratio_mask[" << t << "] must not be negative: " << mask;
      return out.str();
    }
    if (mask > 0 && !std::isfinite(in.logprobs[t])) {
      out << "logprobs[" << t << "] is not finite: " << in.logprobs[t];
      return out.str();
    }
    count += mask;
    any = any || in.advantages[t] != 0;
  }
  return any && count == 0 ? "sequence_ratio_mask is all zero, but there are advantages" : "";
}

void GspoLoss::add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const {
  double ratio = -1;
  for (size_t t = 0; t < gradient.size(); ++t) {
    gradient[t] = 0;
    const double advantage = in.advantages[t];
    if (advantage == 0) continue;
    if (ratio < 0) sums.add_ratio(ratio = sequence_ratio(in));
    const double free = ratio * advantage, bound = range_.clip(in, t, ratio) * advantage;
    if (bound < free) {
      sums.loss -= bound;
      ++sums.clipped;
    } else {
      sums.loss -= free;
      gradient[t] = float(-free);
    }
    ++sums.tokens;
  }
}

}  // namespace hearth::llm
