// Weighted cross-entropy of targets.
#pragma once

#include "llm/loss/token_loss.h"

namespace hearth::llm {

/// -sum_t w_t * lp_t. Inputs: `weights`, any finite numbers (negative and fractional ones too; they are required, so
/// that prompts are never trained on by accident). No settings.
class CrossEntropyLoss : public TokenLoss {
 public:
  explicit CrossEntropyLoss(const LossSpec& spec);
  std::vector<std::string_view> required() const override { return {"weights"}; }
  std::string problem(const LossInputs& in) const override;
  bool gradient_is_fixed() const override { return true; }
  void add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const override;
};

}  // namespace hearth::llm
