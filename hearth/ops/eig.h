// Eigenvalues and eigenvectors.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

struct Eigen {
  Tensor values;   ///< [..., n]
  Tensor vectors;  ///< [..., n, n], one a column
};

/// A = V diag(w) V^H for Hermitian A [..., n, n] of which one triangle is read; w real, ascending. Eigenvectors are
/// determined up to a phase, which a loss must not depend on. Raises LinAlgError. Example: auto [w, v] = eigh(a);
Eigen eigh(const Tensor& a, bool upper = false);
Tensor eigvalsh(const Tensor& a, bool upper = false);

/// A = V diag(w) V^-1 for any A [..., n, n]; both complex, columns of unit length. Raises LinAlgError.
Eigen eig(const Tensor& a);
Tensor eigvals(const Tensor& a);

}  // namespace hearth
