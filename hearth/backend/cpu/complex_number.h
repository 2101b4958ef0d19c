// Complex arithmetic by formula: std::complex would call library routines that look for infinities.
#pragma once

#include <cmath>
#include <complex>

namespace hearth::cpu {

/// (a + bi)(c + di) as four products, as PyTorch multiplies: infinities may give NaN.
template <class R>
std::complex<R> complex_product(std::complex<R> x, std::complex<R> y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

/// x / y with both parts of y scaled by the larger one, so that squares do not overflow. Division by 0 gives x / 0.
template <class R>
std::complex<R> complex_quotient(std::complex<R> x, std::complex<R> y) {
  const R a = x.real(), b = x.imag(), c = y.real(), d = y.imag(), abs_c = std::abs(c), abs_d = std::abs(d);
  if (abs_c >= abs_d) {
    if (abs_c == 0 && abs_d == 0) return {a / abs_c, b / abs_d};
    const R ratio = d / c, scale = 1 / (c + d * ratio);
    return {(a + b * ratio) * scale, (b - a * ratio) * scale};
  }
  const R ratio = c / d, scale = 1 / (d + c * ratio);
  return {(a * ratio + b) * scale, (b * ratio - a) * scale};
}

}  // namespace hearth::cpu
