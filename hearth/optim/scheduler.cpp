// Schedulers: setting an optimizer's rates by a rule or by a measured value.
#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/ops/create.h"
#include "hearth/optim/schedule.h"

namespace hearth::optim {
namespace {

const Tensor& find(const StateDict& state, const std::string& name) {
  const auto found = state.find(name);
  check<ValueError>(found != state.end() && found->second.numel() == 1,
                    "load_state_dict: one number is needed under the name ", name);
  return found->second;
}

}  // namespace

Scheduler::Scheduler(Optimizer& optimizer, RateRule rule) : optimizer_(optimizer), rule_(std::move(rule)) {
  check<ValueError>(bool(rule_), "scheduler: got no rule");
  for (const ParamGroup& group : optimizer.groups()) bases_.push_back(group.lr);
  go_to(0);
}

void Scheduler::go_to(int64_t t) {
  check<ValueError>(t >= 0, "scheduler: step must not be negative: ", t);
  check<ValueError>(bases_.size() == optimizer_.groups().size(), "scheduler: the optimizer had ", bases_.size(),
                    " groups, now ", optimizer_.groups().size());
  std::vector<double> rates;
  for (double base : bases_) {
    rates.push_back(rule_(t, base));
    check<ValueError>(rates.back() >= 0 && std::isfinite(rates.back()), "scheduler: step ", t, " has the rate ",
                      rates.back());
  }
  for (size_t g = 0; g < rates.size(); ++g) optimizer_.groups()[g].lr = rates[g];
  t_ = t;
}

StateDict Scheduler::state_dict() const {
  StateDict out{{"step", scalar_tensor(t_)}};
  for (size_t g = 0; g < bases_.size(); ++g)
    out["base_lr." + std::to_string(g)] = scalar_tensor(bases_[g], Dtype::float64);
  return out;
}

void Scheduler::load_state_dict(const StateDict& state) {
  check<ValueError>(state.size() == bases_.size() + 1, "load_state_dict: a scheduler of ", bases_.size(),
                    " groups has ", bases_.size() + 1, " entries, found ", state.size());
  std::vector<double> bases;
  for (size_t g = 0; g < bases_.size(); ++g) bases.push_back(find(state, "base_lr." + std::to_string(g)).item());
  const int64_t t = find(state, "step").item_int();
  bases_ = std::move(bases);
  go_to(t);
}

PlateauScheduler::PlateauScheduler(Optimizer& optimizer, const PlateauOptions& options)
    : optimizer_(optimizer),
      options_(options),
      best_(options.maximize ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity()) {
  check<ValueError>(options.factor >= 0 && options.factor < 1, "plateau: factor must be in [0, 1): ", options.factor);
  check<ValueError>(options.patience >= 0 && options.cooldown >= 0,
                    "plateau: patience and cooldown must not be negative: ", options.patience, ", ", options.cooldown);
}

bool PlateauScheduler::is_better(double value) const {
  const double sign = options_.maximize ? 1 : -1;
  if (options_.relative) return sign * (value - best_ * (1 + sign * options_.threshold)) > 0;
  return sign * value > sign * best_ + options_.threshold;
}

void PlateauScheduler::step(double value) {
  // The first value is compared with infinity, where relative thresholds have no meaning.
  if (std::isinf(best_) ? !std::isnan(value) && value != best_ : is_better(value)) {
    best_ = value;
    bad_steps_ = 0;
  } else {
    ++bad_steps_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_steps_ = 0;
  }
  if (bad_steps_ <= options_.patience) return;
  for (ParamGroup& group : optimizer_.groups()) {
    const double lr = std::max(group.lr * options_.factor, options_.minimum);
    if (group.lr - lr > options_.eps) group.lr = lr;
  }
  cooldown_ = options_.cooldown;
  bad_steps_ = 0;
}

StateDict PlateauScheduler::state_dict() const {
  return {{"best", scalar_tensor(best_, Dtype::float64)},
          {"bad_steps", scalar_tensor(bad_steps_)},
          {"cooldown", scalar_tensor(cooldown_)}};
}

void PlateauScheduler::load_state_dict(const StateDict& state) {
  check<ValueError>(state.size() == 3, "load_state_dict: a plateau scheduler has 3 entries, found ", state.size());
  const double best = find(state, "best").item();
  const int64_t bad = find(state, "bad_steps").item_int(), cooldown = find(state, "cooldown").item_int();
  best_ = best;
  bad_steps_ = bad;
  cooldown_ = cooldown;
}

}  // namespace hearth::optim
