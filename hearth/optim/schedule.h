// Learning-rate schedules: rules that give the rate of a step, and schedulers that set it.
#pragma once

#include <functional>
#include <vector>

#include "hearth/optim/optimizer.h"

namespace hearth::optim {

/// The learning rate at step t = 0, 1, ... of a group whose own rate is `base`.
using RateRule = std::function<double(int64_t t, double base)>;

/// Rules, with PyTorch's formulas; combine them with `chain` and `sequence`. All raise ValueError for settings without
/// a meaning, when they are made.
namespace schedule {

/// base * factor for the first `steps` steps, then base.
RateRule constant(double factor = 1.0 / 3, int64_t steps = 5);
/// From base * start to base * end over `steps` steps, then base * end.
RateRule linear(double start = 1.0 / 3, double end = 1, int64_t steps = 5);
/// base * (1 - t / steps)^power, then 0.
RateRule polynomial(int64_t steps, double power = 1);
/// Half a cosine from base to `minimum` over `steps` steps; goes up again after that.
RateRule cosine(int64_t steps, double minimum = 0);
/// Half cosines that start again at base: the first takes `steps` steps, each later one `factor` times its predecessor.
RateRule cosine_restarts(int64_t steps, int64_t factor = 1, double minimum = 0);
/// base * gamma^floor(t / every).
RateRule step(int64_t every, double gamma = 0.1);
/// base * gamma^(number of milestones reached).
RateRule multi_step(std::vector<int64_t> milestones, double gamma = 0.1);
/// base * gamma^t.
RateRule exponential(double gamma);
/// Straight up from `low` to `high` and down again, over and over; base is not used.
RateRule cyclic(double low, double high, int64_t up = 2000, int64_t down = 2000);
/// base * factor(t).
RateRule multiply(std::function<double(int64_t t)> factor);

/// Straight up from 0 to base over `warmup` steps, then base.
RateRule warmup_constant(int64_t warmup);
/// The same, then straight down to 0 at step `total`.
RateRule warmup_linear(int64_t warmup, int64_t total);
/// The same, then `cycles` of a cosine, by default half a one down to 0.
RateRule warmup_cosine(int64_t warmup, int64_t total, double cycles = 0.5);

struct OneCycleOptions {
  double rise = 0.3;      ///< share of the steps that the rate goes up
  bool straight = false;  ///< lines instead of half cosines
  double start_divisor = 25, final_divisor = 1e4;
};
/// From highest / start_divisor up to highest, then down to the start rate / final_divisor at the last of `steps` steps
/// (Smith and Topin 2018); base is not used. Its rule raises ValueError from step `steps` on.
RateRule one_cycle(double highest, int64_t steps, const OneCycleOptions& options = {});

/// Each rule works on what the one before gives: with rules that multiply, the product of all factors.
RateRule chain(std::vector<RateRule> rules);
/// rules[k] from step milestones[k - 1] on, counting from 0 there.
RateRule sequence(std::vector<RateRule> rules, std::vector<int64_t> milestones);

}  // namespace schedule

/// Sets the rates of an optimizer's groups, at once for step 0 and at every `step` for the next.
/// Example: optim::Scheduler scheduler(optimizer, optim::schedule::cosine(1000));
///          for (...) { ...; optimizer.step(); scheduler.step(); }
class Scheduler {
 public:
  Scheduler(Optimizer& optimizer, RateRule rule);
  void step() { go_to(t_ + 1); }
  /// Sets the rates of step t. Raises ValueError when the rule gives a negative rate or none; nothing is changed then.
  void go_to(int64_t t);
  int64_t current() const { return t_; }

  /// "step" and "base_lr.0", ... of each group.
  StateDict state_dict() const;
  /// Raises ValueError when a name is missing or unknown.
  void load_state_dict(const StateDict& state);

 private:
  Optimizer& optimizer_;
  RateRule rule_;
  std::vector<double> bases_;
  int64_t t_ = 0;
};

struct PlateauOptions {
  bool maximize = false;    ///< better is larger
  double factor = 0.1;      ///< what the rates are multiplied with
  int64_t patience = 10;    ///< steps without improvement that are put up with
  double threshold = 1e-4;  ///< an improvement smaller than this does not count
  bool relative = true;     ///< threshold is a share of the best value
  int64_t cooldown = 0;     ///< steps after a reduction in which none is counted
  double minimum = 0;       ///< no rate goes below
  double eps = 1e-8;        ///< a change smaller than this is not made
};

/// Reduces the rates when a measured value has stopped improving.
/// Example: optim::PlateauScheduler scheduler(optimizer, {.patience = 2}); ... scheduler.step(validation_loss);
class PlateauScheduler {
 public:
  PlateauScheduler(Optimizer& optimizer, const PlateauOptions& options = {});
  void step(double value);
  /// "best", "bad_steps" and "cooldown".
  StateDict state_dict() const;
  void load_state_dict(const StateDict& state);

 private:
  bool is_better(double value) const;
  Optimizer& optimizer_;
  PlateauOptions options_;
  double best_;
  int64_t bad_steps_ = 0, cooldown_ = 0;
};

}  // namespace hearth::optim
