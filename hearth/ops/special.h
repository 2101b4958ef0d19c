// Special functions, element by element. Integers give float32. What says "no gradient" raises NotImplementedError in
// a backward.
#pragma once

#include "hearth/backend/kernels/special.h"
#include "hearth/core/tensor.h"

namespace hearth {

// Modified Bessel functions of the first kind; those ending in e are multiplied by exp(-|x|).
Tensor i0(const Tensor& x);
Tensor i0e(const Tensor& x);
Tensor i1(const Tensor& x);
Tensor i1e(const Tensor& x);
// Bessel functions of the first and second kind.
Tensor bessel_j0(const Tensor& x);
Tensor bessel_j1(const Tensor& x);
Tensor bessel_y0(const Tensor& x);
Tensor bessel_y1(const Tensor& x);
// Modified Bessel functions of the second kind; a scaled one is multiplied by exp(x).
Tensor modified_bessel_k0(const Tensor& x);
Tensor modified_bessel_k1(const Tensor& x);
Tensor scaled_modified_bessel_k0(const Tensor& x);
Tensor scaled_modified_bessel_k1(const Tensor& x);
/// sin(x) / x; no gradient.
Tensor spherical_bessel_j0(const Tensor& x);
/// The Airy function Ai; no gradient.
Tensor airy_ai(const Tensor& x);

/// exp(x^2) erfc(x).
Tensor erfcx(const Tensor& x);
/// The normal distribution function.
Tensor ndtr(const Tensor& x);
Tensor log_ndtr(const Tensor& x);
/// The inverse of ndtr.
Tensor ndtri(const Tensor& x);

/// The derivative of order n of digamma. Raises ValueError for a negative n.
Tensor polygamma(int64_t n, const Tensor& x);
/// The regularised lower incomplete gamma function of order a at x; no gradient for a.
Tensor igamma(const Tensor& a, const Tensor& x);
/// 1 - igamma(a, x); no gradient for a.
Tensor igammac(const Tensor& a, const Tensor& x);
/// The sum over k >= 0 of (k + q)^-x; no gradient for x.
Tensor zeta(const Tensor& x, const Tensor& q);
/// An orthogonal polynomial of degree n at x, both broadcast; no gradient.
/// Example: Tensor t3 = polynomial(kernels::SpecialBinaryOp::chebyshev_t, x, scalar_tensor(3.0));
Tensor polynomial(kernels::SpecialBinaryOp family, const Tensor& x, const Tensor& n);

/// The next number after x towards y that the dtype has; no gradient.
Tensor nextafter(const Tensor& x, const Tensor& y);
/// The greatest common divisor and the least common multiple of integers. Raises DtypeError for other dtypes.
Tensor gcd(const Tensor& x, const Tensor& y);
Tensor lcm(const Tensor& x, const Tensor& y);
/// x = mantissa * 2^exponent with 0.5 <= |mantissa| < 1; exponents are int32. Raises DtypeError unless floating.
std::pair<Tensor, Tensor> frexp(const Tensor& x);

}  // namespace hearth
