// Special functions of real numbers in float64, accurate to a few units in the last place unless said otherwise.
#pragma once

namespace hearth::cpu {

// Modified Bessel functions; a scaled one is multiplied by exp(-|x|) (i) or exp(x) (k). k: inf at 0, NaN below.
double bessel_i0(double x);
double bessel_i0_scaled(double x);
double bessel_i1(double x);
double bessel_i1_scaled(double x);
double bessel_k0(double x);
double bessel_k0_scaled(double x);
double bessel_k1(double x);
double bessel_k1_scaled(double x);

// Bessel functions. y: -inf at 0, NaN below.
double bessel_j0(double x);
double bessel_j1(double x);
double bessel_y0(double x);
double bessel_y1(double x);
/// sin(x) / x.
double spherical_j0(double x);
/// The Airy function Ai.
double airy_ai(double x);

/// exp(x^2) erfc(x).
double scaled_erfc(double x);
/// The normal distribution function, its logarithm and its inverse.
double normal_cdf(double x);
double log_normal_cdf(double x);
double inverse_normal_cdf(double p);

/// Regularised incomplete gamma functions of order a at x; NaN for negative arguments.
double lower_gamma(double a, double x);
double upper_gamma(double a, double x);
/// The sum over k >= 0 of (k + q)^-x, for x > 1.
double hurwitz_zeta(double x, double q);
/// The derivative of order n of digamma, n >= 2.
double polygamma(double n, double x);

// Orthogonal polynomials at x of degree n, truncated to a whole number; 0 for a negative degree.
double chebyshev_t(double x, double n);
double chebyshev_u(double x, double n);
double chebyshev_v(double x, double n);
double chebyshev_w(double x, double n);
double hermite_h(double x, double n);
double hermite_he(double x, double n);
double laguerre_l(double x, double n);
double legendre_p(double x, double n);

}  // namespace hearth::cpu
