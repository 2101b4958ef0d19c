// Ratios of probabilities under the model in training and the model that sampled, and their clipping: what the losses
// of policy gradients share.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "llm/loss/token_loss.h"

namespace hearth::llm {

/// The setting of that name, or its default. Raises ValueError when it is not finite.
double loss_setting(const LossSpec& spec, const std::string& name, double fallback);

/// Raises ValueError when there is a setting that is not among `known`.
void refuse_other_settings(const LossSpec& spec, std::initializer_list<std::string_view> known);

/// "NAME[t] is not finite: v" for the first such value; with `where`, values beside a zero of it are not looked at.
std::string not_finite(std::string_view name, std::span<const float> values, std::span<const float> where = {});

/// Bounds of a ratio, absolute ones: settings `clip_low_threshold` and `clip_high_threshold`, or, where the sequence
/// brings inputs of these names, one pair a target.
class ClipRange {
 public:
  /// Raises ValueError when the lower bound is above the upper one, or the upper one negative.
  ClipRange(const LossSpec& spec, double low, double high);
  double clip(const LossInputs& in, size_t t, double ratio) const;
  /// What is wrong with the bounds that a sequence brings.
  std::string problem(const LossInputs& in) const;

 private:
  double low(const LossInputs& in, size_t t) const {
    return in.clip_low_threshold.empty() ? low_ : in.clip_low_threshold[t];
  }
  double high(const LossInputs& in, size_t t) const {
    return in.clip_high_threshold.empty() ? high_ : in.clip_high_threshold[t];
  }
  double low_, high_;
};

/// p / q of target t, in double. Not to be asked for where the advantage is zero: positions of a prompt have no q, and
/// the ratio may overflow there.
double ratio_of(const LossInputs& in, size_t t);

/// What is wrong with advantages, with log-probabilities beside an advantage that is not zero.
std::string policy_problem(const LossInputs& in);

}  // namespace hearth::llm
