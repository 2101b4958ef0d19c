// The scheduler that watches a value.
#include <gtest/gtest.h>

#include <cmath>

#include "hearth/ops/create.h"
#include "hearth/optim/schedule.h"
#include "hearth/optim/sgd.h"

namespace hearth {
namespace {

TEST(PlateauScheduler, ReducesOnceValuesStopImproving) {
  optim::SGD optimizer({ones({1}).set_requires_grad()}, {.lr = 1});
  optim::PlateauScheduler scheduler(optimizer, {.factor = 0.5, .patience = 1, .cooldown = 1, .minimum = 0.2});
  const std::vector<double> seen{3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1};
  const std::vector<double> by_pytorch{1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2};
  for (size_t t = 0; t < seen.size(); ++t) {
    scheduler.step(seen[t]);
    EXPECT_DOUBLE_EQ(optimizer.lr(), by_pytorch[t]) << t;
  }
}

TEST(PlateauScheduler, NanIsNoImprovementAndMaximizeTurnsAround) {
  optim::SGD optimizer({ones({1}).set_requires_grad()}, {.lr = 1});
  optim::PlateauScheduler scheduler(optimizer, {.maximize = true, .patience = 0});
  scheduler.step(std::nan(""));
  EXPECT_DOUBLE_EQ(optimizer.lr(), 0.1);
  scheduler.step(1);
  scheduler.step(2);
  EXPECT_DOUBLE_EQ(optimizer.lr(), 0.1);
  scheduler.step(1);
  EXPECT_DOUBLE_EQ(optimizer.lr(), 0.01);
}

TEST(PlateauScheduler, AResumedOneGoesOn) {
  optim::SGD a({ones({1}).set_requires_grad()}, {.lr = 1}), b({ones({1}).set_requires_grad()}, {.lr = 1});
  optim::PlateauScheduler first(a, {.patience = 2}), second(b, {.patience = 2});
  for (double value : {2.0, 2.0, 2.0}) first.step(value);
  second.load_state_dict(first.state_dict());
  first.step(2);
  second.step(2);
  EXPECT_DOUBLE_EQ(a.lr(), 0.1);
  EXPECT_DOUBLE_EQ(b.lr(), 0.1);
  EXPECT_THROW(second.load_state_dict({}), ValueError);
}

}  // namespace
}  // namespace hearth
