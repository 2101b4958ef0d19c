// Bessel and Airy functions: power series near 0, asymptotic series far out, and the trapezoidal rule in between.
#include <cmath>
#include <limits>

#include "hearth/backend/cpu/special_functions.h"

namespace hearth::cpu {

namespace {

constexpr double pi = 3.14159265358979323846, euler_gamma = 0.57721566490153286061;
constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr double tiny = 1e-17;  ///< a term so much smaller than the sum changes nothing

/// From here on the asymptotic series of i reaches full accuracy (its error is about exp(-2 x)).
constexpr double far = 20;

/// The sum over k of (x^2 / 4)^k / (k! (k + order)!): DLMF 10.25.2 without its leading power.
double i_series(double x, int order) {
  const double quarter = x * x / 4;
  double term = 1, sum = 1;
  for (int k = 1; term > tiny * sum; ++k) sum += term *= quarter / (double(k) * (k + order));
  return sum;
}

/// sqrt(2 pi x) exp(-x) I(x), or with sign = 1 the same of K up to pi: DLMF 10.40.1 and 10.40.2.
double asymptotic_sum(double x, double order, double sign) {
  double term = 1, sum = 1;
  for (int k = 1; k < 60 && std::fabs(term) > tiny; ++k) {
    const double odd = 2 * k - 1;
    const double next = term * sign * (4 * order * order - odd * odd) / (8 * k * x);
    if (std::fabs(next) > std::fabs(term)) break;
    sum += term = next;
  }
  return sum;
}

/// exp(x) K(x) of an order below 2 for x >= 0.5: the trapezoidal rule on the integral of exp(-x (cosh t - 1))
/// cosh(order t), DLMF 10.32.9, whose error falls exponentially with 1 / step.
double k_integral(double x, double order) {
  const double step = std::fmin(0.25, 0.7 / std::sqrt(x));
  double sum = 0.5;
  for (int k = 1;; ++k) {
    const double t = k * step, half = std::sinh(t / 2), exponent = 2 * x * half * half;
    const double term = std::exp(-exponent) * std::cosh(order * t);
    sum += term;
    if (exponent > 1 && term < tiny * sum) break;
  }
  return sum * step;
}

}  // namespace

double bessel_i0_scaled(double x) {
  const double a = std::fabs(x);
  if (std::isinf(a)) return 0;
  return a <= far ? std::exp(-a) * i_series(a, 0) : asymptotic_sum(a, 0, -1) / std::sqrt(2 * pi * a);
}
double bessel_i1_scaled(double x) {
  const double a = std::fabs(x);
  if (std::isinf(a)) return std::copysign(0.0, x);
  const double y =
      a <= far ? std::exp(-a) * (a / 2) * i_series(a, 1) : asymptotic_sum(a, 1, -1) / std::sqrt(2 * pi * a);
  return std::copysign(y, x);
}
double bessel_i0(double x) {
  const double a = std::fabs(x);
  if (a <= far) return i_series(a, 0);
  // exp in two steps, because it overflows a little before the function does.
  return std::exp(a / 2) * bessel_i0_scaled(a) * std::exp(a / 2);
}
double bessel_i1(double x) {
  const double a = std::fabs(x);
  if (a <= far) return x / 2 * i_series(a, 1);
  return std::exp(a / 2) * bessel_i1_scaled(x) * std::exp(a / 2);
}

namespace {

/// K0 near 0: DLMF 10.31.2.
double k0_series(double x) {
  const double quarter = x * x / 4;
  double term = 1, harmonic = 0, sum = 0;
  for (int k = 1; k < 30; ++k) {
    term *= quarter / (double(k) * k);
    harmonic += 1.0 / k;
    sum += term * harmonic;
  }
  return sum - (std::log(x / 2) + euler_gamma) * i_series(x, 0);
}

/// K1 near 0: DLMF 10.31.1 with n = 1.
double k1_series(double x) {
  const double quarter = x * x / 4;
  double term = 1, digammas = 1 - 2 * euler_gamma, sum = digammas;
  for (int k = 1; k < 30; ++k) {
    term *= quarter / (double(k) * (k + 1));
    digammas += 1.0 / k + 1.0 / (k + 1);
    sum += term * digammas;
  }
  return 1 / x + std::log(x / 2) * (x / 2) * i_series(x, 1) - x / 4 * sum;
}

template <class Series>
double k_scaled(double x, double order, Series series) {
  if (x == 0) return infinity;
  if (!(x > 0)) return nan;
  return x < 2 ? std::exp(x) * series(x) : k_integral(x, order);
}

template <class Series>
double k_plain(double x, double order, Series series) {
  if (x == 0) return infinity;
  if (!(x > 0)) return nan;
  return x < 2 ? series(x) : std::exp(-x) * k_integral(x, order);
}

}  // namespace

double bessel_k0(double x) { return k_plain(x, 0, k0_series); }
double bessel_k0_scaled(double x) { return std::isinf(x) ? (x > 0 ? 0 : nan) : k_scaled(x, 0, k0_series); }
double bessel_k1(double x) { return k_plain(x, 1, k1_series); }
double bessel_k1_scaled(double x) { return std::isinf(x) ? (x > 0 ? 0 : nan) : k_scaled(x, 1, k1_series); }

double bessel_j0(double x) { return ::j0(x); }
double bessel_j1(double x) { return ::j1(x); }
double bessel_y0(double x) { return x > 0 ? ::y0(x) : x == 0 ? -infinity : nan; }
double bessel_y1(double x) { return x > 0 ? ::y1(x) : x == 0 ? -infinity : nan; }

double spherical_j0(double x) {
  if (std::isinf(x)) return 0;
  if (std::fabs(x) < 0.5) {
    const double s = x * x;
    return 1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72 * (1 - s / 110 * (1 - s / 156)))));
  }
  return std::sin(x) / x;
}

namespace {

struct Centre {
  double value, slope;
};
constexpr Centre airy_centres[] = {
#include "hearth/backend/cpu/airy_centres.inc"
};

/// Taylor's series around the nearest centre; y'' = x y gives every next coefficient (DLMF 9.2.1).
double airy_near(double x) {
  const int place = x > 0 ? 0 : int(std::lround(-x));
  const double centre = -place, h = x - centre;
  double before = 0, a = airy_centres[place].value, b = airy_centres[place].slope;
  double power = h, sum = a + b * h;
  for (int k = 0; k < 40; ++k) {
    const double next = (centre * a + before) / ((k + 1.0) * (k + 2.0));
    before = a;
    a = b;
    b = next;
    power *= h;
    sum += next * power;
  }
  return sum;
}

/// DLMF 9.7.9: an oscillation whose amplitude and phase are asymptotic series.
double airy_oscillating(double x) {
  const double z = 2.0 / 3 * x * std::sqrt(x);
  double even = 1, odd = 0, u = 1, sign = 1;
  for (int k = 1; k < 30; ++k) {
    const double next = u * (6.0 * k - 5) * (6.0 * k - 3) * (6.0 * k - 1) / (216.0 * k * (2 * k - 1) * z);
    if (next > u || next < tiny) break;
    u = next;
    if (k % 2 == 1) {
      odd += sign * u;
      sign = -sign;
    } else {
      even += sign * u;
    }
  }
  const double phase = z - pi / 4;
  return (std::cos(phase) * even + std::sin(phase) * odd) / (std::sqrt(pi) * std::sqrt(std::sqrt(x)));
}

}  // namespace

double airy_ai(double x) {
  if (std::isnan(x)) return nan;
  if (x > 1) {
    // DLMF 9.6.2.
    const double z = 2.0 / 3 * x * std::sqrt(x);
    return z > 750 ? 0 : std::sqrt(x / 3) / pi * std::exp(-z) * k_integral(z, 1.0 / 3);
  }
  if (x > -9) return airy_near(x);
  return std::isinf(x) ? nan : airy_oscillating(-x);
}

}  // namespace hearth::cpu
