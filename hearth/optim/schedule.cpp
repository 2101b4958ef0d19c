// Schedules: the rules' formulas.
#include "hearth/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hearth::optim::schedule {
namespace {

constexpr double pi = std::numbers::pi;

void check_steps(const char* rule, int64_t steps) {
  check<ValueError>(steps > 0, rule, ": steps must be positive: ", steps);
}

/// Half a cosine from `start` at share 0 to `end` at share 1.
double half_cosine(double start, double end, double share) {
  return end + (start - end) * (1 + std::cos(pi * share)) / 2;
}

double warmup_factor(int64_t t, int64_t warmup) { return double(t) / double(std::max<int64_t>(1, warmup)); }

}  // namespace

RateRule constant(double factor, int64_t steps) {
  check<ValueError>(factor >= 0 && factor <= 1, "schedule::constant: factor must be in [0, 1]: ", factor);
  return [=](int64_t t, double base) { return t < steps ? base * factor : base; };
}

RateRule linear(double start, double end, int64_t steps) {
  check_steps("schedule::linear", steps);
  check<ValueError>(start > 0 && start <= 1 && end >= 0 && end <= 1,
                    "schedule::linear: factors must be in [0, 1], the first positive: ", start, ", ", end);
  return [=](int64_t t, double base) {
    return base * (start + (end - start) * double(std::min(t, steps)) / double(steps));
  };
}

RateRule polynomial(int64_t steps, double power) {
  check_steps("schedule::polynomial", steps);
  return [=](int64_t t, double base) { return base * std::pow(1 - double(std::min(t, steps)) / double(steps), power); };
}

RateRule cosine(int64_t steps, double minimum) {
  check_steps("schedule::cosine", steps);
  return [=](int64_t t, double base) { return half_cosine(base, minimum, double(t) / double(steps)); };
}

RateRule cosine_restarts(int64_t steps, int64_t factor, double minimum) {
  check_steps("schedule::cosine_restarts", steps);
  check<ValueError>(factor >= 1, "schedule::cosine_restarts: factor must be at least 1: ", factor);
  return [=](int64_t t, double base) {
    int64_t length = steps, at = factor == 1 ? t % steps : t;
    while (at >= length) {
      at -= length;
      length *= factor;
    }
    return half_cosine(base, minimum, double(at) / double(length));
  };
}

RateRule step(int64_t every, double gamma) {
  check_steps("schedule::step", every);
  return [=](int64_t t, double base) {
    const int64_t times = t / every;
    return base * std::pow(gamma, double(times));
  };
}

RateRule multi_step(std::vector<int64_t> milestones, double gamma) {
  std::sort(milestones.begin(), milestones.end());
  return [gamma, milestones = std::move(milestones)](int64_t t, double base) {
    const auto reached = std::upper_bound(milestones.begin(), milestones.end(), t) - milestones.begin();
    return base * std::pow(gamma, double(reached));
  };
}

RateRule exponential(double gamma) {
  return [=](int64_t t, double base) { return base * std::pow(gamma, double(t)); };
}

RateRule cyclic(double low, double high, int64_t up, int64_t down) {
  check<ValueError>(up > 0 && down > 0, "schedule::cyclic: steps up and down must be positive: ", up, ", ", down);
  return [=](int64_t t, double) {
    const int64_t at = t % (up + down);
    const double share = at <= up ? double(at) / double(up) : double(up + down - at) / double(down);
    return low + (high - low) * share;
  };
}

RateRule multiply(std::function<double(int64_t)> factor) {
  check<ValueError>(bool(factor), "schedule::multiply: got no function");
  return [factor = std::move(factor)](int64_t t, double base) { return base * factor(t); };
}

RateRule warmup_constant(int64_t warmup) {
  return [=](int64_t t, double base) { return t < warmup ? base * warmup_factor(t, warmup) : base; };
}

RateRule warmup_linear(int64_t warmup, int64_t total) {
  return [=](int64_t t, double base) {
    if (t < warmup) return base * warmup_factor(t, warmup);
    return base * std::max(0.0, double(total - t) / double(std::max<int64_t>(1, total - warmup)));
  };
}

RateRule warmup_cosine(int64_t warmup, int64_t total, double cycles) {
  return [=](int64_t t, double base) {
    if (t < warmup) return base * warmup_factor(t, warmup);
    const double progress = double(t - warmup) / double(std::max<int64_t>(1, total - warmup));
    return base * std::max(0.0, 0.5 * (1 + std::cos(pi * cycles * 2 * progress)));
  };
}

RateRule one_cycle(double highest, int64_t steps, const OneCycleOptions& options) {
  check_steps("schedule::one_cycle", steps);
  check<ValueError>(options.rise >= 0 && options.rise <= 1,
                    "schedule::one_cycle: rise must be in [0, 1]: ", options.rise);
  check<ValueError>(options.start_divisor > 0 && options.final_divisor > 0,
                    "schedule::one_cycle: divisors must be positive: ", options.start_divisor, ", ",
                    options.final_divisor);
  const double lowest = highest / options.start_divisor, last = lowest / options.final_divisor;
  const double top = options.rise * double(steps) - 1, end = double(steps - 1);
  const bool straight = options.straight;
  return [=](int64_t t, double) {
    check<ValueError>(t < steps, "schedule::one_cycle: step ", t, " of ", steps);
    const bool rising = double(t) <= top;
    const double from = rising ? lowest : highest, to = rising ? highest : last;
    const double begin = rising ? 0 : top, length = rising ? top : end - top;
    const double share = length == 0 ? 1 : (double(t) - begin) / length;
    return straight ? from + (to - from) * share : half_cosine(from, to, share);
  };
}

RateRule chain(std::vector<RateRule> rules) {
  check<ValueError>(!rules.empty(), "schedule::chain: got no rules");
  return [rules = std::move(rules)](int64_t t, double base) {
    for (const RateRule& rule : rules) base = rule(t, base);
    return base;
  };
}

RateRule sequence(std::vector<RateRule> rules, std::vector<int64_t> milestones) {
  check<ValueError>(!rules.empty() && milestones.size() + 1 == rules.size(),
                    "schedule::sequence: one milestone is needed between any two rules: ", milestones.size(), " for ",
                    rules.size());
  check<ValueError>(std::is_sorted(milestones.begin(), milestones.end()),
                    "schedule::sequence: milestones must not go down");
  return [rules = std::move(rules), milestones = std::move(milestones)](int64_t t, double base) {
    const size_t k = size_t(std::upper_bound(milestones.begin(), milestones.end(), t) - milestones.begin());
    return rules[k](k == 0 ? t : t - milestones[k - 1], base);
  };
}

}  // namespace hearth::optim::schedule
