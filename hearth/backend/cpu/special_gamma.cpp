// Functions of the gamma family, and those of the normal distribution.
#include <cmath>
#include <limits>

#include "hearth/backend/cpu/special_functions.h"

namespace hearth::cpu {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr double epsilon = 1e-17, sqrt_half = 0.70710678118654752440, sqrt_two_pi = 2.50662827463100050242;

double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

}  // namespace

double scaled_erfc(double x) {
  if (std::isnan(x)) return nan;
  if (x < 25) {
    // The square is split, so that its rounding error does not grow in the exponent.
    const double high = std::ldexp(std::rint(std::ldexp(x, 20)), -20), low = x - high;
    return std::exp(high * high) * std::exp(low * (x + high)) * std::erfc(x);
  }
  // Continued fraction, DLMF 7.9.1; so far out few steps suffice.
  double fraction = 0;
  for (int k = 12; k > 0; --k) fraction = k / 2.0 / (x + fraction);
  return 0.56418958354775628695 / (x + fraction);
}

double normal_cdf(double x) { return std::erfc(-x * sqrt_half) / 2; }

double log_normal_cdf(double x) {
  if (x < -1) return std::log(scaled_erfc(-x * sqrt_half) / 2) - x * x / 2;
  return std::log1p(-std::erfc(x * sqrt_half) / 2);
}

double inverse_normal_cdf(double p) {
  if (p == 0) return -infinity;
  if (p == 1) return infinity;
  if (!(p > 0 && p < 1)) return nan;
  if (p > 0.5) return -inverse_normal_cdf(1 - p);
  // First guess: Abramowitz and Stegun 26.2.23, to 4.5e-4. Then Newton's method on the logarithm.
  const double t = std::sqrt(-2 * std::log(p));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  const double wanted = std::log(p);
  for (int step = 0; step < 4; ++step) {
    const double have = log_normal_cdf(x), slope = std::exp(-x * x / 2 - have) / sqrt_two_pi;
    x -= (have - wanted) / slope;
  }
  return p == 0.5 ? 0 : x;
}

namespace {

/// x^a exp(-x) / gamma(a + 1), without the cancellation of its logarithm where x is near a large a.
double gamma_prefix(double a, double x) {
  if (a < 20) return std::exp(a * std::log(x) - x - log_gamma(a + 1));
  // Stirling: a log(x / a) + a - x in terms of (x - a) / a.
  const double u = (x - a) / a;
  const double exponent = std::fabs(u) < 0.1 ? std::log1p(u) - u : std::log(x / a) - u;
  const double z = 1 / (a * a);
  const double rest = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z / 1680))) / a;
  return std::exp(a * exponent - rest) / std::sqrt(2 * 3.14159265358979323846 * a);
}

/// DLMF 8.11.4.
double lower_series(double a, double x) {
  double term = 1, sum = 1;
  for (int k = 1; k < 200000 && term > epsilon * sum; ++k) sum += term *= x / (a + k);
  return gamma_prefix(a, x) * sum;
}

/// Legendre's continued fraction (DLMF 8.9.2) by the method of Lentz; for x > a + 1.
double upper_fraction(double a, double x) {
  constexpr double least = 1e-300;
  double b = x + 1 - a, c = 1 / least, d = 1 / b, h = d;
  for (int k = 1; k < 200000; ++k) {
    const double numerator = -k * (k - a);
    b += 2;
    d = numerator * d + b;
    if (std::fabs(d) < least) d = least;
    c = b + numerator / c;
    if (std::fabs(c) < least) c = least;
    d = 1 / d;
    h *= d * c;
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return gamma_prefix(a, x) * a * h;
}

/// The upper function where x is small: 1 - x^a / gamma(a + 1) (1 + a sum of (-x)^k / (k! (a + k))), arranged so that
/// nothing cancels for a small a (DLMF 8.7.3).
double upper_series(double a, double x) {
  double term = 1, sum = 0;
  for (int k = 1; k < 500 && std::fabs(term) > epsilon; ++k) {
    term *= -x / k;
    sum += term / (a + k);
  }
  const double power = std::expm1(a * std::log(x) - log_gamma(1 + a));
  return -power - (power + 1) * a * sum;
}

}  // namespace

double lower_gamma(double a, double x) {
  if (std::isnan(a) || std::isnan(x) || a < 0 || x < 0) return nan;
  if (a == 0) return x > 0 ? 1 : nan;
  if (x == 0) return 0;
  if (std::isinf(a)) return std::isinf(x) ? nan : 0;
  if (std::isinf(x)) return 1;
  return x > 1 && x > a ? 1 - upper_gamma(a, x) : lower_series(a, x);
}

double upper_gamma(double a, double x) {
  if (std::isnan(a) || std::isnan(x) || a < 0 || x < 0) return nan;
  if (a == 0) return x > 0 ? 0 : nan;
  if (x == 0) return 1;
  if (std::isinf(a)) return std::isinf(x) ? nan : 1;
  if (std::isinf(x)) return 0;
  if (x <= 1.1) return x < a ? 1 - lower_series(a, x) : upper_series(a, x);
  return x < a ? 1 - lower_series(a, x) : upper_fraction(a, x);
}

double hurwitz_zeta(double x, double q) {
  if (x == 1) return infinity;
  if (!(x > 1)) return nan;
  if (q <= 0) {
    if (q == std::floor(q)) return infinity;
    if (x != std::floor(x)) return nan;  // a power of a negative number
  }
  // Direct terms up to q + k > 9, then the sum formula of Euler and Maclaurin.
  double sum = 0, at = q;
  for (int k = 0; k < 9 || at <= 9; ++k, ++at) {
    const double term = std::pow(at, -x);
    sum += term;
    if (std::fabs(term) < epsilon * std::fabs(sum)) return sum;
  }
  // B_2k / (2k)!, the last one with the sign of the next.
  constexpr double weights[] = {1.0 / 12,          -1.0 / 720,
                                1.0 / 30240,       -1.0 / 1209600,
                                1.0 / 47900160,    -691.0 / 1307674368000,
                                1.0 / 74724249600, -3617.0 / 10670622842880000};
  double power = std::pow(at, -x);
  sum += power * at / (x - 1) + power / 2;
  double rising = x;
  power /= at;
  for (int k = 0; k < 8; ++k) {
    const double term = rising * power * weights[k];
    sum += term;
    if (std::fabs(term) < epsilon * std::fabs(sum)) break;
    rising *= (x + 2 * k + 1) * (x + 2 * k + 2);
    power /= at * at;
  }
  return sum;
}

double polygamma(double n, double x) {
  const double sign = std::fmod(n, 2) == 0 ? -1 : 1;
  return sign * std::tgamma(n + 1) * hurwitz_zeta(n + 1, x);
}

}  // namespace hearth::cpu
