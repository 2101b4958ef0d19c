// Policy gradient with importance weights.
#include "llm/loss/importance_sampling.h"

#include "llm/loss/ratio.h"

namespace hearth::llm {

ImportanceSamplingLoss::ImportanceSamplingLoss(const LossSpec& spec) { refuse_other_settings(spec, {}); }

std::string ImportanceSamplingLoss::problem(const LossInputs& in) const { return policy_problem(in); }

void ImportanceSamplingLoss::add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const {
  for (size_t t = 0; t < gradient.size(); ++t) {
    gradient[t] = 0;
    if (in.advantages[t] == 0) continue;
    const double ratio = ratio_of(in, t), value = ratio * double(in.advantages[t]);
    sums.loss -= value;
    gradient[t] = float(-value);
    sums.add_ratio(ratio);
    ++sums.tokens;
  }
}

}  // namespace hearth::llm
