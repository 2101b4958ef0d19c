// Tests of shuffles and splits: whole, repeatable, and even.
#include "hearth/data/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "hearth/core/error.h"

using namespace hearth;

namespace {

TEST(SplitMix64, GivesThePublishedStream) {
  // First outputs for seed 1234567, as listed for the reference implementation.
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(SplitMix64, BelowIsEven) {
  SplitMix64 random(1);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[random.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below((uint64_t(1) << 63) + 1), (uint64_t(1) << 63) + 1);
}

TEST(ShuffledOrder, IsAPermutationThatSeedAndPassDecide) {
  std::vector<int64_t> order = shuffled_order(1000, 7, 0);
  EXPECT_EQ(order, shuffled_order(1000, 7, 0));
  EXPECT_NE(order, shuffled_order(1000, 7, 1));
  EXPECT_NE(order, shuffled_order(1000, 8, 0));
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(order[size_t(i)], i);
  EXPECT_TRUE(shuffled_order(0, 1, 0).empty());
  EXPECT_EQ(shuffled_order(1, 1, 0), (std::vector<int64_t>{0}));
}

TEST(ShuffledOrder, EachOrderIsEquallyLikely) {
  std::map<std::vector<int64_t>, int> counts;
  for (int64_t pass = 0; pass < 6000; ++pass) ++counts[shuffled_order(3, 1, pass)];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(SplitIndices, TakesTheFractionAndKeepsOrder) {
  const auto [train, validation] = split_indices(100, 0.1, 3);
  EXPECT_EQ(train.size(), 90u);
  EXPECT_EQ(validation.size(), 10u);
  EXPECT_TRUE(std::is_sorted(train.begin(), train.end()));
  std::vector<int64_t> all = train;
  all.insert(all.end(), validation.begin(), validation.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  EXPECT_EQ(split_indices(100, 0.1, 3).second, validation);
  EXPECT_NE(split_indices(100, 0.1, 4).second, validation);
  EXPECT_TRUE(split_indices(5, 0, 1).second.empty());
  EXPECT_EQ(split_indices(5, 0.001, 1).second.size(), 1u);
  EXPECT_EQ(split_indices(5, 0.999, 1).first.size(), 1u);
}

TEST(SplitIndices, RefusesWhatCannotBeSplit) {
  EXPECT_THROW(split_indices(10, 1.0, 1), ValueError);
  EXPECT_THROW(split_indices(10, -0.1, 1), ValueError);
  EXPECT_THROW(split_indices(1, 0.5, 1), ValueError);
  EXPECT_THROW(split_indices(10, 0.0 / 0.0, 1), ValueError);
}

TEST(TrainValidationSplit, MovesTheRows) {
  const std::vector<std::string> rows = {"a", "b", "c", "d"};
  const auto [train, validation] = train_validation_split(rows, 0.25, 1);
  const auto [train_numbers, validation_numbers] = split_indices(4, 0.25, 1);
  ASSERT_EQ(validation.size(), 1u);
  EXPECT_EQ(validation[0], rows[size_t(validation_numbers[0])]);
  EXPECT_EQ(train.size(), 3u);
}

}  // namespace
