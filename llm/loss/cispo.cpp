// Clipped importance-sampling policy optimisation.
#include "llm/loss/cispo.h"

namespace hearth::llm {

CispoLoss::CispoLoss(const LossSpec& spec) : range_(spec, 0, 4) {
  refuse_other_settings(spec, {"clip_low_threshold", "clip_high_threshold"});
}

std::string CispoLoss::problem(const LossInputs& in) const {
  std::string text = policy_problem(in);
  return text.empty() ? range_.problem(in) : text;
}

void CispoLoss::add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const {
  for (size_t t = 0; t < gradient.size(); ++t) {
    gradient[t] = 0;
    if (in.advantages[t] == 0) continue;
    const double ratio = ratio_of(in, t), clipped = range_.clip(in, t, ratio), weight = clipped * in.advantages[t];
    sums.loss -= weight * double(in.log_probs[t]);
    gradient[t] = float(-weight);
    sums.clipped += clipped != ratio;
    sums.add_ratio(ratio);
    ++sums.tokens;
  }
}

}  // namespace hearth::llm
