// Cholesky factors of Hermitian positive definite matrices, and what is solved with them.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

struct FactorInfo {
  Tensor factor;
  Tensor info;  ///< int32, one a matrix: 0, or where the factorisation broke off
};

/// L of A = L L^H for A [..., n, n], or U of A = U^H U when upper; one triangle of A is read. info i: the leading minor
/// of order i is not positive definite. The gradient is Hermitian.
FactorInfo cholesky_ex(const Tensor& a, bool upper = false);
/// The factor alone. Raises LinAlgError where there is none. Example: Tensor l = cholesky(matmul(x, mT(x)));
Tensor cholesky(const Tensor& a, bool upper = false);
/// The inverse of A, given its factor. Raises LinAlgError for a zero on the diagonal.
Tensor cholesky_inverse(const Tensor& factor, bool upper = false);
/// X [..., n, k] of A X = B, A given by its factor; batches are broadcast.
Tensor cholesky_solve(const Tensor& b, const Tensor& factor, bool upper = false);

}  // namespace hearth
