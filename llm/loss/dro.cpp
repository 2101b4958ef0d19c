// Direct reward optimisation, without its value function.
#include "llm/loss/dro.h"

#include "hearth/core/error.h"
#include "llm/loss/ratio.h"

namespace hearth::llm {

DroLoss::DroLoss(const LossSpec& spec) : beta_(loss_setting(spec, "beta", 0.05)) {
  refuse_other_settings(spec, {"beta"});
  check<ValueError>(beta_ >= 0, "dro: beta must not be negative: ", beta_);
}

std::string DroLoss::problem(const LossInputs& in) const {
  std::string text = not_finite("advantages", in.advantages);
  return text.empty() ? not_finite("logprobs", in.logprobs) : text;
}

void DroLoss::add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const {
  for (size_t t = 0; t < gradient.size(); ++t) {
    const double lp = in.log_probs[t], advantage = in.advantages[t], apart = lp - double(in.logprobs[t]);
    sums.loss -= lp * advantage - 0.5 * beta_ * apart * apart;
    gradient[t] = float(beta_ * apart - advantage);
    sums.tokens += advantage != 0;
  }
}

}  // namespace hearth::llm
