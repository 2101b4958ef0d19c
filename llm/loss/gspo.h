// Group sequence policy optimisation (Zheng et al. 2025, "Group Sequence Policy Optimization").
#pragma once

#include "llm/loss/ratio.h"

namespace hearth::llm {

/// One ratio a sequence, the geometric mean of its targets': s = exp(sum_t m_t (lp_t - q_t) / sum_t m_t).
/// The loss is -sum_t min(s * A_t, clip(s, low, high) * A_t), clipped like PPO. For the gradient each target's ratio is
/// s held constant times lp_t / lp_t held constant (the paper's GSPO-token): -s * A_t, and 0 where the clipped
/// branch is the smaller one. With one advantage for all targets that is the gradient of the paper's sequence
/// objective times the sequence's length: the sum over targets that all losses here are.
///
/// Settings: `clip_low_threshold` (0.9997), `clip_high_threshold` (1.0004), bounds of s itself; the paper's 3e-4 below
/// and 4e-4 above one. Inputs: `logprobs` (q), `advantages` (A), and optionally `sequence_ratio_mask` (m), not
/// negative: which targets make the ratio. Without it these are the targets whose advantage is not 0.
class GspoLoss : public TokenLoss {
 public:
  explicit GspoLoss(const LossSpec& spec);
  std::vector<std::string_view> required() const override { return {"logprobs", "advantages"}; }
  std::vector<std::string_view> optional() const override { return {"sequence_ratio_mask"}; }
  std::string problem(const LossInputs& in) const override;
  void add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const override;

 private:
  ClipRange range_;
};

}  // namespace hearth::llm
