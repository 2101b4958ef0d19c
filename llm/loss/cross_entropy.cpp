// Weighted cross-entropy of targets.
#include "llm/loss/cross_entropy.h"

#include "llm/loss/ratio.h"

namespace hearth::llm {

CrossEntropyLoss::CrossEntropyLoss(const LossSpec& spec) { refuse_other_settings(spec, {}); }

std::string CrossEntropyLoss::problem(const LossInputs& in) const { return not_finite("weights", in.weights); }

void CrossEntropyLoss::add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const {
  for (size_t t = 0; t < gradient.size(); ++t) {
    gradient[t] = 0;
    if (in.weights[t] == 0) continue;
    sums.loss -= double(in.weights[t]) * double(in.log_probs[t]);
    gradient[t] = -in.weights[t];
    ++sums.tokens;
  }
}

}  // namespace hearth::llm
