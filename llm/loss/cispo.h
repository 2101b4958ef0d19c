// Clipped importance-sampling policy optimisation (MiniMax 2025, "MiniMax-M1").
#pragma once

#include "llm/loss/ratio.h"

namespace hearth::llm {

/// -sum_t c_t * A_t * lp_t with c_t = clip(exp(lp_t - q_t), low, high) held constant: the gradient is -c_t * A_t, so
/// that clipping bounds a target's weight and silences none. Settings: `clip_low_threshold` (0), `clip_high_threshold`
/// (4). Inputs as PpoLoss.
class CispoLoss : public TokenLoss {
 public:
  explicit CispoLoss(const LossSpec& spec);
  std::vector<std::string_view> required() const override { return {"logprobs", "advantages"}; }
  std::vector<std::string_view> optional() const override { return {"clip_low_threshold", "clip_high_threshold"}; }
  std::string problem(const LossInputs& in) const override;
  void add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const override;

 private:
  ClipRange range_;
};

}  // namespace hearth::llm
