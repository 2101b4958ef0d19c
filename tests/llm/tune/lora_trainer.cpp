// LoRA trainers: gradients over units and requests, steps, snapshots.
#include "llm/tune/lora_trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hearth/backend/cpu/parallel.h"
#include "llm/sample/generate.h"
#include "llm/tune/small_trainers.h"

namespace hearth::llm {
namespace {

/// Length of datums that make several units: 2048 tokens are the most that one has.
const std::vector<int64_t> three_units = {700, 700, 640, 900, 1100, 100};

TEST(LoraTrainer, cuts_requests_at_2048_tokens) {
  const auto data = random_data(1, {700, 700, 640, 9, 2039, 3000, 5, 2048, 1});
  EXPECT_EQ(cut_into_units(data), (std::vector<size_t>{3, 2, 1, 1, 1, 1}));
  EXPECT_EQ(token_count(data), 9142);
  EXPECT_TRUE(cut_into_units({}).empty());
}

TEST(LoraTrainer, splitting_a_batch_over_calls_keeps_the_gradients_bits) {
  const auto base = small_base();
  const auto data = random_data(2, three_units);
  LoraTrainer whole = small_trainer(base), split = small_trainer(base);
  warm_up(whole);
  warm_up(split);
  const LossResult all = run(whole, data);
  const std::vector<size_t> units = cut_into_units(data);
  ASSERT_EQ(units.size(), 3u);
  double loss = 0;
  auto at = data.begin();
  for (size_t count : units) {
    loss += run(split, {at, at + ptrdiff_t(count)}).loss;
    at += ptrdiff_t(count);
  }
  EXPECT_EQ(whole.state_hash(), split.state_hash());
  EXPECT_NEAR(all.loss, loss, 1e-9 * std::abs(loss));
}

TEST(LoraTrainer, a_snapshot_is_never_changed) {
  const auto base = small_base();
  LoraTrainer trainer = small_trainer(base);
  warm_up(trainer);
  const auto snapshot = trainer.snapshot();
  std::vector<std::vector<float>> before;
  for (const Tensor& t : snapshot->parameters()) before.push_back(to_vector<float>(t));
  warm_up(trainer);
  size_t changed = 0;
  const TensorList now = snapshot->parameters(), trained = trainer.snapshot()->parameters();
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(bits(before[i]), bits(to_vector<float>(now[i])));
    changed += bits(before[i]) != bits(to_vector<float>(trained[i]));
  }
  EXPECT_EQ(changed, before.size());
}

}  // namespace
}  // namespace hearth::llm
