// Policy gradient with importance weights.
#include "llm/loss/importance_sampling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "llm/loss/loss_cases.h"

namespace hearth::llm {
namespace {

TEST(ImportanceSamplingLoss, is_the_ratio_times_the_advantage) {
  const LossCase c{{{"log_probs", {-1, -2}}, {"logprobs", {-1, -1}}, {"advantages", {3, -2}}}};
  const LossValue found = value_of({"importance_sampling", {}}, c);
  EXPECT_NEAR(found.loss, -3 + 2 * std::exp(-1), 1e-12);
  const std::vector<double> expected = differences({"importance_sampling", {}}, c);
  for (size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(found.gradient[t], expected[t], 1e-4);
}

TEST(ImportanceSamplingLoss, takes_no_ratio_where_there_is_no_advantage) {
  const LossCase c{{{"log_probs", {-1, -2}}, {"logprobs", {-9999, -2}}, {"advantages", {0, 1}}}};
  const LossValue found = value_of({"importance_sampling", {}}, c);
  EXPECT_EQ(found.loss, -1);
  EXPECT_EQ(found.gradient, (std::vector<float>{0, -1}));
  EXPECT_EQ(found.sums.largest_ratio, 1);
}

}  // namespace
}  // namespace hearth::llm
