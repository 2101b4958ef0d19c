// Contract of special functions: one or two real arguments, element by element.
//
// Shapes, strides and invariance as in elementwise.h. Dtypes: floating; operands have the dtype of `out`. Computed in
// float64 and rounded once.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

enum class SpecialOp : uint8_t {
  bessel_i0,
  bessel_i0e,  ///< exp(-|x|) i0(x)
  bessel_i1,
  bessel_i1e,
  bessel_j0,
  bessel_j1,
  bessel_y0,
  bessel_y1,
  bessel_k0,
  bessel_k0e,  ///< exp(x) k0(x)
  bessel_k1,
  bessel_k1e,
  spherical_j0,
  airy_ai,
  erfcx,     ///< exp(x^2) erfc(x)
  ndtr,      ///< the normal distribution function
  log_ndtr,  ///< its logarithm
  ndtri,     ///< its inverse
};

enum class SpecialBinaryOp : uint8_t {
  igamma,     ///< P(x, y): the lower incomplete gamma function of order x at y, over gamma(x)
  igammac,    ///< 1 - P(x, y)
  zeta,       ///< Hurwitz: sum over k >= 0 of (k + y)^-x
  polygamma,  ///< the derivative of order x of digamma at y
  // Orthogonal polynomials at x, of degree y truncated to a whole number.
  chebyshev_t,
  chebyshev_u,
  chebyshev_v,
  chebyshev_w,
  hermite_h,
  hermite_he,
  laguerre_l,
  legendre_p,
};

enum class DivisorOp : uint8_t { gcd, lcm };

using SpecialFn = void(SpecialOp op, const Tensor& out, const Tensor& x);
using SpecialBinaryFn = void(SpecialBinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y);
/// The next number after x towards y that the dtype has; floating dtypes.
using NextAfterFn = void(const Tensor& out, const Tensor& x, const Tensor& y);
/// The greatest common divisor, or the least common multiple, of integers; never negative.
using DivisorFn = void(DivisorOp op, const Tensor& out, const Tensor& x, const Tensor& y);

inline constinit Slot<SpecialFn> special{"special"};
inline constinit Slot<SpecialBinaryFn> special_binary{"special_binary"};
inline constinit Slot<DivisorFn> divisor{"divisor"};
inline constinit Slot<NextAfterFn> next_after{"next_after"};

}  // namespace hearth::kernels
