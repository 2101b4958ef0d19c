// CISPO: clipped weights that silence no target.
#include "llm/loss/cispo.h"

#include <gtest/gtest.h>

#include <cmath>

#include "llm/loss/loss_cases.h"

namespace hearth::llm {
namespace {

TEST(CispoLoss, bounds_the_weight_and_silences_no_target) {
  const float five = float(std::log(5.0)), half = float(std::log(0.5));
  const LossCase c{{{"log_probs", {five - 3, half - 3, -3}}, {"logprobs", {-3, -3, -3}}, {"advantages", {1, 1, -2}}}};
  const LossValue open = value_of({"cispo", {}}, c);
  EXPECT_NEAR(open.gradient[0], -4, 1e-6);
  EXPECT_NEAR(open.gradient[1], -0.5, 1e-6);
  EXPECT_NEAR(open.gradient[2], 2, 1e-6);
  EXPECT_EQ(open.sums.clipped, 1);
  EXPECT_NEAR(open.loss, -4 * (five - 3) - 0.5 * (half - 3) + 2 * -3, 1e-5);
  const LossValue narrow = value_of({"cispo", {{"clip_low_threshold", 0.8}, {"clip_high_threshold", 1.2}}}, c);
  EXPECT_NEAR(narrow.gradient[0], -1.2, 1e-6);
  EXPECT_NEAR(narrow.gradient[1], -0.8, 1e-6);
  EXPECT_EQ(narrow.sums.clipped, 2);
}

TEST(CispoLoss, a_ratio_that_overflows_is_clipped_like_any_other) {
  const LossCase c{{{"log_probs", {-1}}, {"logprobs", {-2000}}, {"advantages", {1}}}};
  EXPECT_EQ(value_of({"cispo", {}}, c).gradient[0], -4);
}

}  // namespace
}  // namespace hearth::llm
