// Policy gradient with importance weights.
#pragma once

#include "llm/loss/token_loss.h"

namespace hearth::llm {

/// -sum_t r_t * A_t with r_t = exp(lp_t - q_t); its gradient is -r_t * A_t. Inputs: `logprobs` (q, when sampled) and
/// `advantages` (A); where A is 0 the target adds nothing and q is not looked at. No settings.
class ImportanceSamplingLoss : public TokenLoss {
 public:
  explicit ImportanceSamplingLoss(const LossSpec& spec);
  std::vector<std::string_view> required() const override { return {"logprobs", "advantages"}; }
  std::string problem(const LossInputs& in) const override;
  void add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const override;
};

}  // namespace hearth::llm
