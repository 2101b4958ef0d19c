// Schedules against PyTorch's frozen rates.
#include "hearth/optim/schedule.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

using optim::RateRule;
namespace schedule = optim::schedule;

RateRule rule_of(const std::string& kind, const frozen::Keywords& k) {
  if (kind == "StepLR") return schedule::step(k.integer("step_size", 1), k.number("gamma", 0.1));
  if (kind == "MultiStepLR") return schedule::multi_step(k.integers("milestones"), k.number("gamma", 0.1));
  if (kind == "ExponentialLR") return schedule::exponential(k.number("gamma", 1));
  if (kind == "LinearLR")
    return schedule::linear(k.number("start_factor", 1), k.number("end_factor", 1), k.integer("total_iters", 5));
  if (kind == "ConstantLR") return schedule::constant(k.number("factor", 1), k.integer("total_iters", 5));
  if (kind == "PolynomialLR") return schedule::polynomial(k.integer("total_iters", 5), k.number("power", 1));
  if (kind == "CosineAnnealingLR") return schedule::cosine(k.integer("T_max", 1), k.number("eta_min", 0));
  if (kind == "CosineAnnealingWarmRestarts")
    return schedule::cosine_restarts(k.integer("T_0", 1), k.integer("T_mult", 1), k.number("eta_min", 0));
  if (kind == "OneCycleLR")
    return schedule::one_cycle(k.number("max_lr", 1), k.integer("total_steps", 1),
                               {k.number("pct_start", 0.3), k.text("anneal_strategy", "cos") == "linear",
                                k.number("div_factor", 25), k.number("final_div_factor", 1e4)});
  if (kind == "CyclicLR")
    return schedule::cyclic(k.number("base_lr", 0), k.number("max_lr", 0), k.integer("step_size_up", 1),
                            k.integer("step_size_down", 1));
  const int64_t warmup = k.integer("num_warmup_steps", 0), total = k.integer("num_training_steps", 0);
  if (kind == "get_constant_schedule_with_warmup") return schedule::warmup_constant(warmup);
  if (kind == "get_linear_schedule_with_warmup") return schedule::warmup_linear(warmup, total);
  if (kind == "get_cosine_schedule_with_warmup") return schedule::warmup_cosine(warmup, total);
  return {};
}

optim_test::Made any_optimizer(double lr) {
  struct Idle : optim::ComposedOptimizer {
    using ComposedOptimizer::ComposedOptimizer;
    Tensor updated(size_t, const optim::ParamGroup&, const Tensor& p, const Tensor&) override { return p; }
  };
  return std::make_unique<Idle>(std::vector<optim::ParamGroup>{{{ones({1}).set_requires_grad()}, lr, 0}});
}

TEST(Schedule, AgreesWithPyTorch) {
  const boost::json::array& rows = optim_test::Data::get().json.at("schedules").as_array();
  ASSERT_FALSE(rows.empty());
  for (const boost::json::value& row : rows) {
    const std::string id(row.at("id").as_string());
    const RateRule rule =
        rule_of(std::string(row.at("schedule").as_string()), frozen::Keywords(row.at("settings").as_object()));
    ASSERT_TRUE(bool(rule)) << id;
    const std::vector<double> expected = to_vector<double>(optim_test::Data::get().tensors.tensor(id + "/lr"));
    const optim_test::Made optimizer = any_optimizer(0.2);
    optim::Scheduler scheduler(*optimizer, rule);
    for (size_t t = 0; t < expected.size(); ++t) {
      EXPECT_NEAR(optimizer->lr(), expected[t], 1e-12) << id << " step " << t;
      if (t + 1 < expected.size()) scheduler.step();
    }
  }
}

TEST(Schedule, ChainMultipliesAndSequenceCountsAnew) {
  const RateRule chained = schedule::chain({schedule::constant(0.5, 2), schedule::exponential(0.5)});
  EXPECT_DOUBLE_EQ(chained(1, 8), 2);
  EXPECT_DOUBLE_EQ(chained(3, 8), 1);
  const RateRule both = schedule::sequence({schedule::warmup_constant(4), schedule::step(2, 0.5)}, {4});
  const std::vector<double> expected{0, 2, 4, 6, 8, 8, 4, 4, 2};
  for (size_t t = 0; t < expected.size(); ++t) EXPECT_DOUBLE_EQ(both(int64_t(t), 8), expected[t]) << t;
  const RateRule own = schedule::multiply([](int64_t t) { return 1.0 / double(1 + t); });
  EXPECT_DOUBLE_EQ(own(3, 8), 2);
}

TEST(Schedule, AResumedSchedulerGoesOn) {
  const optim_test::Made first = any_optimizer(0.2), second = any_optimizer(0.7);
  optim::Scheduler a(*first, schedule::cosine(9)), b(*second, schedule::cosine(9));
  for (int t = 0; t < 4; ++t) a.step();
  b.load_state_dict(a.state_dict());
  EXPECT_EQ(b.current(), 4);
  for (int t = 0; t < 4; ++t) {
    EXPECT_EQ(first->lr(), second->lr());
    a.step();
    b.step();
  }
  EXPECT_THROW(b.load_state_dict({}), ValueError);
}

TEST(Schedule, RefusesSettingsWithoutAMeaning) {
  EXPECT_THROW(schedule::cosine(0), ValueError);
  EXPECT_THROW(schedule::linear(0), ValueError);
  EXPECT_THROW(schedule::sequence({schedule::cosine(3)}, {1}), ValueError);
  EXPECT_THROW(schedule::chain({}), ValueError);
  const optim_test::Made optimizer = any_optimizer(0.2);
  optim::Scheduler scheduler(*optimizer, schedule::one_cycle(0.5, 2));
  scheduler.step();
  const double before = optimizer->lr();
  EXPECT_THROW(scheduler.step(), ValueError);
  EXPECT_EQ(optimizer->lr(), before);
}

}  // namespace
}  // namespace hearth
