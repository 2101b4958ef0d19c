// Determinants, plain and as logarithms.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// The determinant of [..., n, n]; 1 for n = 0. The gradient is right for singular matrices too.
Tensor det(const Tensor& a);

struct SignLogDet {
  Tensor sign;    ///< of the determinant, of modulus 1 or 0, in a's dtype
  Tensor logabs;  ///< the logarithm of its modulus, real
};
/// The determinant as sign and logarithm, which neither over- nor underflows. Example: Tensor l = slogdet(a).logabs;
SignLogDet slogdet(const Tensor& a);
/// The logarithm of the determinant: NaN where it is negative, -infinity where it is 0.
Tensor logdet(const Tensor& a);

}  // namespace hearth
