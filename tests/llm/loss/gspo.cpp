// Group sequence policy optimisation.
#include "llm/loss/gspo.h"

#include <gtest/gtest.h>

#include <cmath>

#include "llm/loss/loss_cases.h"

namespace hearth::llm {
namespace {

const LossSpec wide = {"gspo", {{"clip_low_threshold", 0.1}, {"clip_high_threshold", 10.0}}};

/// The prompt's targets have neither advantage nor sampled log-probability.
LossCase sequence() {
  return {{{"log_probs", {-30, -40, -1, -2, -1.5f}},
           {"logprobs", {0, 0, -1.2f, -1.9f, -1}},
           {"advantages", {0, 0, 2, 2, 2}}}};
}

TEST(GspoLoss, has_one_ratio_a_sequence) {
  const double ratio = std::exp((0.2 - 0.1 - 0.5) / 3);
  const LossValue found = value_of(wide, sequence());
  EXPECT_NEAR(found.loss, -3 * 2 * ratio, 1e-6);
  EXPECT_NEAR(found.sums.smallest_ratio, ratio, 1e-7);
  EXPECT_NEAR(found.sums.largest_ratio, ratio, 1e-7);
  EXPECT_EQ(found.sums.ratios, 1);
  EXPECT_EQ(found.sums.tokens, 3);
}

TEST(GspoLoss, with_one_advantage_the_gradient_is_that_of_the_sequence_objective) {
  const std::vector<double> expected = differences(wide, sequence());
  const LossValue found = value_of(wide, sequence());
  for (size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(found.gradient[t], expected[t], 1e-4);
}

TEST(GspoLoss, clips_the_ratio_of_the_sequence) {
  LossCase c = sequence();
  // The ratio is below the bound: nothing to gain with a bad sequence, everything with a good one.
  EXPECT_EQ(value_of({"gspo", {}}, c).sums.clipped, 0);
  for (float& a : c.values["advantages"]) a = -a;
  const LossValue found = value_of({"gspo", {}}, c);
  EXPECT_EQ(found.sums.clipped, 3);
  EXPECT_NEAR(found.loss, 3 * 2 * (1 - 3e-4), 1e-9);
  EXPECT_EQ(found.gradient, (std::vector<float>(5, 0)));
}

TEST(GspoLoss, the_mask_says_which_targets_make_the_ratio) {
  LossCase c = sequence();
  c.values["sequence_ratio_mask"] = {0, 0, 1, 1, 0};
  EXPECT_NEAR(value_of(wide, c).sums.largest_ratio, std::exp((0.2 - 0.1) / 2), 1e-7);
  EXPECT_NEAR(value_of(wide, c).loss, -3 * 2 * std::exp(0.05), 1e-6);
}

TEST(GspoLoss, a_sequence_without_advantages_adds_nothing) {
  LossCase c = sequence();
  c.values["advantages"].assign(5, 0);
  const LossValue found = value_of({"gspo", {}}, c);
  EXPECT_EQ(found.loss, 0);
  EXPECT_EQ(found.sums.ratios, 0);
  EXPECT_EQ(make_loss({"gspo", {}})->problem(c.inputs()), "");
}

}  // namespace
}  // namespace hearth::llm
