// Settings and ratios that losses share.
#include "llm/loss/ratio.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hearth/core/error.h"

namespace hearth::llm {
namespace {

TEST(Ratio, settings_have_defaults_and_must_be_finite) {
  const LossSpec spec{"ppo", {{"a", 2}, {"b", NAN}}};
  EXPECT_EQ(loss_setting(spec, "a", 1), 2);
  EXPECT_EQ(loss_setting(spec, "c", 1), 1);
  EXPECT_THROW(loss_setting(spec, "b", 1), ValueError);
  EXPECT_THROW(refuse_other_settings(spec, {"a"}), ValueError);
  EXPECT_NO_THROW(refuse_other_settings(spec, {"a", "b"}));
}

TEST(Ratio, the_first_number_that_is_not_finite_is_named) {
  const std::vector<float> values = {1, NAN, -INFINITY}, where = {1, 0, 1};
  EXPECT_EQ(not_finite("x", values), "x[1] is not finite: nan");
  EXPECT_EQ(not_finite("x", values, where), "x[2] is not finite: -inf");
  EXPECT_EQ(not_finite("x", std::vector<float>{1, 2}), "");
  EXPECT_EQ(not_finite("x", {}), "");
}

TEST(Ratio, bounds_of_a_target_come_before_the_settings) {
  const ClipRange range({"ppo", {{"clip_low_threshold", 0.5}}}, 0.8, 1.2);
  const std::vector<float> low = {0.75f, 1}, high = {2, 3};
  LossInputs in;
  EXPECT_EQ(range.clip(in, 0, 0.1), 0.5);
  EXPECT_EQ(range.clip(in, 0, 9), 1.2);
  in.clip_low_threshold = low;
  EXPECT_EQ(range.clip(in, 1, 0.1), 1);
  EXPECT_EQ(range.clip(in, 1, 9), 1.2);
  in.clip_high_threshold = high;
  EXPECT_EQ(range.clip(in, 1, 9), 3);
  EXPECT_EQ(range.problem(in), "");
}

}  // namespace
}  // namespace hearth::llm
