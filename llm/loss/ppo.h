// Proximal policy optimisation's clipped objective (Schulman et al. 2017, equation 7).
#pragma once

#include "llm/loss/ratio.h"

namespace hearth::llm {

/// -sum_t min(r_t * A_t, clip(r_t, low, high) * A_t) with r_t = exp(lp_t - q_t); the gradient is -r_t * A_t, and 0
/// where the clipped branch is the smaller one. Settings: `clip_low_threshold` (0.8), `clip_high_threshold` (1.2),
/// bounds of the ratio itself. Inputs: `logprobs` (q), `advantages` (A), optionally bounds for each target under the
/// settings' names.
class PpoLoss : public TokenLoss {
 public:
  explicit PpoLoss(const LossSpec& spec);
  std::vector<std::string_view> required() const override { return {"logprobs", "advantages"}; }
  std::vector<std::string_view> optional() const override { return {"clip_low_threshold", "clip_high_threshold"}; }
  std::string problem(const LossInputs& in) const override;
  void add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const override;

 private:
  ClipRange range_;
};

}  // namespace hearth::llm
