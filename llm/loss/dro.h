// Direct reward optimisation (Richemond et al. 2024), without its value function.
#pragma once

#include "llm/loss/token_loss.h"

namespace hearth::llm {

/// -sum_t (lp_t * A_t - beta / 2 * (lp_t - q_t)^2); the gradient is beta * (lp_t - q_t) - A_t. Setting: `beta` (0.05),
/// not negative. Inputs: `logprobs` (q), `advantages` (A). The quadratic part holds at every target, whatever its
/// advantage.
class DroLoss : public TokenLoss {
 public:
  explicit DroLoss(const LossSpec& spec);
  std::vector<std::string_view> required() const override { return {"logprobs", "advantages"}; }
  std::string problem(const LossInputs& in) const override;
  void add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const override;

 private:
  double beta_;
};

}  // namespace hearth::llm
