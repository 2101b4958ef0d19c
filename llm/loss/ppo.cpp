// Proximal policy optimisation's clipped objective.
#include "llm/loss/ppo.h"

namespace hearth::llm {

PpoLoss::PpoLoss(const LossSpec& spec) : range_(spec, 0.8, 1.2) {
  refuse_other_settings(spec, {"clip_low_threshold", "clip_high_threshold"});
}

std::string PpoLoss::problem(const LossInputs& in) const {
  std::string text = policy_problem(in);
  return text.empty() ? range_.problem(in) : text;
}

void PpoLoss::add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const {
  for (size_t t = 0; t < gradient.size(); ++t) {
    gradient[t] = 0;
    const double advantage = in.advantages[t];
    if (advantage == 0) continue;
    const double ratio = ratio_of(in, t), free = ratio * advantage, bound = range_.clip(in, t, ratio) * advantage;
    if (bound < free) {
      sums.loss -= bound;
      ++sums.clipped;
    } else {
      sums.loss -= free;
      gradient[t] = float(-free);
    }
    sums.add_ratio(ratio);
    ++sums.tokens;
  }
}

}  // namespace hearth::llm
