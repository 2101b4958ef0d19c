// Further distributions: one draw per element in row-major order, word for word as PyTorch consumes its stream.
#include "hearth/ops/distributions.h"

#include <cmath>
#include <limits>

#include "hearth/core/dispatch.h"
#include "hearth/core/node.h"
#include "hearth/ops/broadcast.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/random.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Generator& chosen(Generator* generator) { return generator ? *generator : default_generator(); }

template <class T>
T stored(double value) {
  if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>)
    return T(float(value));
  else
    return T(value);
}

/// x[i] = f(i), drawn in row-major order.
template <class Accepted, class F>
const Tensor& drawn(const char* op, const Tensor& x, Generator& g, F f) {
  check_writable(op, x);
  NoGrad guard;
  const Tensor values = x.is_contiguous() ? x.detach() : empty_like(x);
  {
    std::lock_guard lock(g.mutex);
    dispatch(Accepted{}, x.dtype(), op, [&]<class T>() {
      T* data = values.data<T>();
      for (int64_t i = 0; i < values.numel(); ++i) data[i] = f.template operator()<T>(i);
    });
  }
  if (!x.is_contiguous()) return copy_(x, values);
  x.bump_version();
  return x;
}

/// The largest whole number up to which a dtype counts without gaps.
template <class T>
constexpr uint64_t last_whole() {
  if constexpr (std::is_same_v<T, double>) return uint64_t(1) << 53;
  if constexpr (std::is_same_v<T, float>) return uint64_t(1) << 24;
  if constexpr (std::is_same_v<T, float16>) return uint64_t(1) << 11;
  if constexpr (std::is_same_v<T, bfloat16>) return uint64_t(1) << 8;
  if constexpr (std::is_integral_v<T>) return uint64_t(std::numeric_limits<T>::max());
  return 0;
}

template <class T>
T from_whole(uint64_t value) {
  if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>)
    return T(float(value));
  else
    return T(value);
}

}  // namespace

const Tensor& log_normal_(const Tensor& x, double mean, double deviation, Generator* generator) {
  check<ValueError>(deviation > 0, "log_normal_ expects std > 0.0, but found std=", deviation);
  check<DtypeError>(is_floating(x.dtype()), "log_normal_: not implemented for ", x.dtype());
  Generator& g = chosen(generator);
  return drawn<FloatTypes>("log_normal_", x, g,
                           [&]<class T>(int64_t) { return stored<T>(std::exp(g.normal() * deviation + mean)); });
}

const Tensor& cauchy_(const Tensor& x, double median, double sigma, Generator* generator) {
  check<ValueError>(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
  check<DtypeError>(is_floating(x.dtype()),
                    "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but "
                    "you specified ",
                    x.dtype());
  constexpr double pi = 3.14159265358979323846;
  Generator& g = chosen(generator);
  return drawn<FloatTypes>("cauchy_", x, g, [&]<class T>(int64_t) {
    return stored<T>(median + sigma * std::tan(pi * (g.uniform64() - 0.5)));
  });
}

const Tensor& geometric_(const Tensor& x, double p, Generator* generator) {
  check<ValueError>(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
  Generator& g = chosen(generator);
  return drawn<RealTypes>("geometric_", x, g, [&]<class T>(int64_t) {
    return stored<T>(std::ceil(std::log(g.uniform64()) / std::log1p(-p)));
  });
}

const Tensor& bernoulli_(const Tensor& x, const Tensor& p, Generator* generator) {
  check<DtypeError>(is_floating(p.dtype()), "bernoulli_: expects probabilities tensor to have floating type, got ",
                    p.dtype());
  NoGrad guard;
  const Tensor chance = contiguous(repeated("bernoulli_", to(p, Dtype::float64), x.shape()));
  const double* at = chance.data<double>();
  for (int64_t i = 0; i < chance.numel(); ++i)
    check<ValueError>(at[i] >= 0 && at[i] <= 1, "bernoulli_: Expected p_in >= 0 && p_in <= 1: ", at[i]);
  const bool fine = p.dtype() == Dtype::float64;
  Generator& g = chosen(generator);
  return drawn<RealTypes>("bernoulli_", x, g, [&]<class T>(int64_t i) {
    return stored<T>(fine ? g.uniform64() < at[i] : g.uniform() < float(at[i]));
  });
}

const Tensor& random_(const Tensor& x, Generator* generator) {
  Generator& g = chosen(generator);
  return drawn<RealTypes>("random_", x, g, [&]<class T>(int64_t) {
    if constexpr (std::is_same_v<T, bool>) return bool(g.random() & 1);
    const uint64_t word = sizeof(T) == 8 ? g.random64() : g.random();
    const uint64_t last = last_whole<T>();
    return from_whole<T>(last == std::numeric_limits<uint64_t>::max() ? word : word % (last + 1));
  });
}

const Tensor& random_from_(const Tensor& x, int64_t low, Generator* generator) {
  Generator& g = chosen(generator);
  return drawn<RealTypes>("random_", x, g, [&]<class T>(int64_t) {
    const uint64_t range = last_whole<T>() - uint64_t(low) + 1;
    const uint64_t word = range == 0 || range >= uint64_t(1) << 28 ? g.random64() : g.random();
    const int64_t value = int64_t((range ? word % range : word) + uint64_t(low));
    return std::is_floating_point_v<T> || sizeof(T) == 2 ? stored<T>(double(value)) : from_whole<T>(uint64_t(value));
  });
}

const Tensor& complex_normal_(const Tensor& x, double mean, double deviation, Generator* generator) {
  check_writable("normal_", x);
  normal_(view_as_real(x.detach()), mean, deviation / std::sqrt(2.0), generator);
  x.bump_version();
  return x;
}

namespace {

/// Source: Knuth's product of uniform numbers for small rates, else the transformed rejection PTRS (Hormann, "The
/// transformed rejection method for generating Poisson random variables", 1993).
double draw_poisson(double rate, Generator& g) {
  if (rate == 0) return 0;
  if (rate < 10) {
    const double limit = std::exp(-rate);
    double count = 0;
    for (double product = g.uniform64(); product > limit; product *= g.uniform64()) ++count;
    return count;
  }
  const double b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  int sign;
  for (;;) {
    const double u = g.uniform64() - 0.5, v = g.uniform64(), us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const double height = std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b);
    if (height <= -rate + k * std::log(rate) - lgamma_r(k + 1, &sign)) return k;
  }
}

/// What Stirling's formula lacks of log(k!).
double stirling_rest(double k) {
  if (k <= 9) {
    int sign;
    constexpr double half_log_two_pi = 0.91893853320467274178;
    return lgamma_r(k + 1, &sign) - ((k + 0.5) * std::log(k + 1) - (k + 1) + half_log_two_pi);
  }
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/// Transformed rejection BTRS (Hormann, "The generation of binomial random variates", 1993); p <= 1/2, n p >= 10.
double draw_binomial_by_rejection(double n, double p, Generator& g) {
  const double spread = std::sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spread;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5, v_r = 0.92 - 4.2 / b, r = p / (1 - p);
  const double alpha = (2.83 + 5.1 / b) * spread, mode = std::floor((n + 1) * p);
  for (;;) {
    const double u = g.uniform64() - 0.5, v = g.uniform64(), us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || k > n) continue;
    const double height = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (mode + 0.5) * std::log((mode + 1) / (r * (n - mode + 1))) +
                         (n + 1) * std::log((n - mode + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(r * (n - k + 1) / (k + 1)) + stirling_rest(mode) +
                         stirling_rest(n - mode) - stirling_rest(k) - stirling_rest(n - k);
    if (height <= bound) return k;
  }
}

double draw_binomial(double n, double p, Generator& g) {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - draw_binomial(n, 1 - p, g);
  if (n * p >= 10) return draw_binomial_by_rejection(n, p, g);
  // Waiting times between successes are geometric.
  double successes = 0;
  for (double waited = 0;; ++successes) {
    waited += std::ceil(std::log(g.uniform64()) / std::log1p(-p));
    if (waited > n) return successes;
  }
}

}  // namespace

Tensor poisson(const Tensor& rate, Generator* generator) {
  check<DtypeError>(is_floating(rate.dtype()), "poisson: not implemented for ", rate.dtype());
  const Tensor y = empty_like(rate), rates = contiguous(to(rate.detach(), Dtype::float64));
  const double* at = rates.data<double>();
  for (int64_t i = 0; i < rates.numel(); ++i)
    check<ValueError>(at[i] >= 0, "invalid Poisson rate, expected rate to be non-negative: ", at[i]);
  Generator& g = chosen(generator);
  drawn<FloatTypes>("poisson", y, g, [&]<class T>(int64_t i) { return stored<T>(draw_poisson(at[i], g)); });
  if (!needs_grad(rate)) return y;
  return record("poisson", y, {rate}, [](const GradContext& c) -> Grads { return {zeros_like(c.dy())}; });
}

Tensor binomial(const Tensor& count, const Tensor& p, Generator* generator) {
  check<DtypeError>(count.dtype() == p.dtype() && is_floating(p.dtype()),
                    "binomial: both arguments must have one floating dtype: ", count.dtype(), " and ", p.dtype());
  NoGrad guard;
  const Shape shape = broadcast_shapes("binomial", count.shape(), p.shape());
  const Tensor y = Tensor::empty(shape, p.dtype());
  const Tensor n = contiguous(repeated("binomial", to(count, Dtype::float64), shape));
  const Tensor chance = contiguous(repeated("binomial", to(p, Dtype::float64), shape));
  const double *trials = n.data<double>(), *chances = chance.data<double>();
  Generator& g = chosen(generator);
  return drawn<FloatTypes>("binomial", y, g,
                           [&]<class T>(int64_t i) { return stored<T>(draw_binomial(trials[i], chances[i], g)); });
}

}  // namespace hearth
