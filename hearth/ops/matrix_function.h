// Functions of matrices: powers, exponential, square root, polar decomposition, products of several.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// exp(A) of [..., n, n] by scaling, a Pade approximant and squaring. Example: Tensor rotation = matrix_exp(generator);
Tensor matrix_exp(const Tensor& a);
/// A^n; a negative n takes the inverse. Raises LinAlgError then for a singular matrix.
Tensor matrix_power(const Tensor& a, int64_t n);
/// The principal square root of a Hermitian positive semidefinite matrix, whose lower triangle is read.
Tensor matrix_sqrth(const Tensor& a);

struct Polar {
  Tensor u, h;
};
/// A = U H of [..., m, n], m >= n: U with orthonormal columns, H Hermitian positive semidefinite.
Polar polar_decomposition(const Tensor& a);

/// The product of two or more matrices in the order that needs the fewest multiplications; the first and the last may
/// be vectors.
Tensor multi_dot(const TensorList& xs);
/// x^0, x^1 ... x^(n-1) of each element, in a new last dimension; n defaults to the last size of x.
Tensor vander(const Tensor& x, int64_t n = -1);
/// The sum of conj(x) y along `dim`, broadcast.
Tensor vecdot(const Tensor& x, const Tensor& y, int64_t dim = -1);

}  // namespace hearth
