// Orthogonal polynomials by their recurrences in the degree; source: DLMF 18.9, and 18.5 for the trigonometric forms.
#include <cmath>
#include <limits>

#include "hearth/backend/cpu/special_functions.h"

namespace hearth::cpu {

namespace {

/// From here on the trigonometric form is used inside (-1, 1), which costs the same for every degree.
constexpr double by_recurrence = 8;
/// Above it the physicists' and probabilists' polynomials overflow nearly everywhere.
constexpr double hermite_limit = 512;

/// p(0) = 1, p(1) = first, p(k + 1) = 2 x p(k) - p(k - 1).
double chebyshev(double x, double n, double first) {
  if (n == 0) return 1;
  double before = 1, p = first;
  for (double k = 1; k < n && !std::isnan(p); ++k) {
    const double next = 2 * x * p - before;
    before = p;
    p = next;
  }
  return p;
}

double minus_one_to(double n) { return std::fmod(n, 2) == 0 ? 1 : -1; }

}  // namespace

double chebyshev_t(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 ? 1 : minus_one_to(n);
  if (n > by_recurrence && std::fabs(x) < 1) return std::cos(n * std::acos(x));
  return chebyshev(x, n, x);
}

double chebyshev_u(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 ? n + 1 : (n + 1) * minus_one_to(n);
  if (n > by_recurrence && std::fabs(x) < 1) {
    const double angle = std::acos(x);
    if (std::sin(angle) != 0) return std::sin((n + 1) * angle) / std::sin(angle);
    return (n + 1) * std::cos((n + 1) * angle) / x;
  }
  return chebyshev(x, n, 2 * x);
}

double chebyshev_v(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (x == 1) return 1;
  if (x == -1) return minus_one_to(n) * (2 * n + 1);
  if (n > by_recurrence && std::fabs(x) < 1) {
    const double half = std::acos(x) / 2;
    if (std::cos(half) != 0) return std::cos((2 * n + 1) * half) / std::cos(half);
    return minus_one_to(n) * (2 * n + 1);
  }
  return chebyshev(x, n, 2 * x - 1);
}

double chebyshev_w(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (x == 1) return 2 * n + 1;
  if (x == -1) return minus_one_to(n);
  if (n > by_recurrence && std::fabs(x) < 1) {
    const double half = std::acos(x) / 2;
    if (std::sin(half) != 0) return std::sin((2 * n + 1) * half) / std::sin(half);
    return 2 * n + 1;
  }
  return chebyshev(x, n, 2 * x + 1);
}

double hermite_h(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (n == 0) return 1;
  if (n > hermite_limit) return std::numeric_limits<double>::quiet_NaN();
  double before = 1, p = 2 * x;
  for (double k = 1; k < n; ++k) {
    const double next = 2 * (x * p - k * before);
    before = p;
    p = next;
  }
  return p;
}

double hermite_he(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (n == 0) return 1;
  if (n > hermite_limit) return std::numeric_limits<double>::quiet_NaN();
  double before = 1, p = x;
  for (double k = 1; k < n; ++k) {
    const double next = x * p - k * before;
    before = p;
    p = next;
  }
  return p;
}

double laguerre_l(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (x == 0 || n == 0) return 1;
  double before = 1, p = 1 - x;
  for (double k = 1; k < n && !std::isnan(p); ++k) {
    const double next = ((2 * k + 1 - x) * p - k * before) / (k + 1);
    before = p;
    p = next;
  }
  return p;
}

double legendre_p(double x, double n) {
  n = std::trunc(n);
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 ? 1 : minus_one_to(n);
  if (n == 0) return 1;
  double before = 1, p = x;
  for (double k = 1; k < n && !std::isnan(p); ++k) {
    const double next = ((2 * k + 1) * x * p - k * before) / (k + 1);
    before = p;
    p = next;
  }
  return p;
}

}  // namespace hearth::cpu
