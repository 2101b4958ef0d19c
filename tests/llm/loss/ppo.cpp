// PPO's clipped objective.
#include "llm/loss/ppo.h"

#include <gtest/gtest.h>

#include <cmath>

#include "llm/loss/loss_cases.h"

namespace hearth::llm {
namespace {

/// One target whose ratio is `ratio`.
LossValue at(double ratio, float advantage, std::map<std::string, double> config = {}) {
  const LossCase c{{{"log_probs", {float(std::log(ratio)) - 1}}, {"logprobs", {-1}}, {"advantages", {advantage}}}};
  return value_of({"ppo", std::move(config)}, c);
}

TEST(PpoLoss, clips_where_it_would_gain_and_only_there) {
  // A good target that became more probable, and a bad one that became less: nothing more to gain.
  EXPECT_NEAR(at(1.5, 2).loss, -1.2 * 2, 1e-6);
  EXPECT_EQ(at(1.5, 2).gradient[0], 0);
  EXPECT_NEAR(at(0.5, -2).loss, 0.8 * 2, 1e-6);
  EXPECT_EQ(at(0.5, -2).gradient[0], 0);
  EXPECT_EQ(at(0.5, -2).sums.clipped, 1);
  // The other way round there is everything to lose.
  EXPECT_NEAR(at(0.5, 2).loss, -0.5 * 2, 1e-6);
  EXPECT_NEAR(at(0.5, 2).gradient[0], -0.5 * 2, 1e-6);
  EXPECT_NEAR(at(1.5, -2).gradient[0], 1.5 * 2, 1e-6);
  EXPECT_EQ(at(1.5, -2).sums.clipped, 0);
  EXPECT_NEAR(at(1.1, 2).gradient[0], -1.1 * 2, 1e-6);
}

TEST(PpoLoss, has_bounds_of_ones_own) {
  EXPECT_NEAR(at(1.5, 2, {{"clip_high_threshold", 1.6}}).gradient[0], -3, 1e-6);
  EXPECT_NEAR(at(0.5, -2, {{"clip_low_threshold", 0.4}}).gradient[0], 1, 1e-6);
  EXPECT_EQ(at(0.5, -2, {{"clip_low_threshold", 0.6}}).gradient[0], 0);
}

TEST(PpoLoss, gradient_is_that_of_differences) {
  const LossCase c{
      {{"log_probs", {-1, -2, -0.5f, -3}}, {"logprobs", {-1.1f, -1, -1.5f, -2.9f}}, {"advantages", {1, -2, 1, 0.5f}}}};
  const std::vector<double> expected = differences({"ppo", {}}, c);
  const LossValue found = value_of({"ppo", {}}, c);
  for (size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(found.gradient[t], expected[t], 1e-4);
}

TEST(PpoLoss, a_ratio_that_overflows_is_clipped_like_any_other) {
  const LossCase c{{{"log_probs", {-1}}, {"logprobs", {-2000}}, {"advantages", {1}}}};
  EXPECT_EQ(value_of({"ppo", {}}, c).loss, -1.2);
}

}  // namespace
}  // namespace hearth::llm
