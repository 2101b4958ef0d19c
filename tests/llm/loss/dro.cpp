// Direct reward optimisation.
#include "llm/loss/dro.h"

#include <gtest/gtest.h>

#include "llm/loss/loss_cases.h"

namespace hearth::llm {
namespace {

TEST(DroLoss, stays_near_the_sampler_at_every_target) {
  const LossCase c{{{"log_probs", {-1, -2, -4}}, {"logprobs", {-1.5f, -2, 0}}, {"advantages", {2, -1, 0}}}};
  const LossValue found = value_of({"dro", {{"beta", 0.5}}}, c);
  EXPECT_DOUBLE_EQ(found.loss, -((-2 - 0.25 * 0.25) + 2 + (0 - 0.25 * 16)));
  EXPECT_EQ(found.gradient, (std::vector<float>{0.25f - 2, 1, -2}));
  const std::vector<double> expected = differences({"dro", {{"beta", 0.5}}}, c);
  for (size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(found.gradient[t], expected[t], 1e-6);
  EXPECT_EQ(found.sums.tokens, 2);
}

TEST(DroLoss, beta_is_a_twentieth_unless_given) {
  const LossCase c{{{"log_probs", {-3}}, {"logprobs", {-1}}, {"advantages", {0}}}};
  EXPECT_DOUBLE_EQ(value_of({"dro", {}}, c).loss, 0.5 * 0.05 * 4);
}

}  // namespace
}  // namespace hearth::llm
