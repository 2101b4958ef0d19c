// Weighted cross-entropy.
#include "llm/loss/cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "llm/loss/loss_cases.h"

namespace hearth::llm {
namespace {

TEST(CrossEntropyLoss, weighs_each_target) {
  const LossCase c{{{"log_probs", {-1, -2, -4}}, {"weights", {0.5f, 0, -2}}}};
  const LossValue found = value_of({"cross_entropy", {}}, c);
  EXPECT_EQ(found.loss, 0.5 - 8);
  EXPECT_EQ(found.gradient, (std::vector<float>{-0.5f, 0, 2}));
  EXPECT_EQ(found.sums.tokens, 2);
}

TEST(CrossEntropyLoss, a_weight_of_zero_silences_any_target) {
  const LossCase c{{{"log_probs", {-1, -INFINITY}}, {"weights", {1, 0}}}};
  EXPECT_EQ(value_of({"cross_entropy", {}}, c).loss, 1);
}

}  // namespace
}  // namespace hearth::llm
