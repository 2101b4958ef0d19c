// LU and LDL factors, solving with them, taking them apart.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

struct LuFactors {
  Tensor lu;      ///< L below the diagonal (its ones left out), U on and above it
  Tensor pivots;  ///< int32 [..., min(m, n)]: rows that were swapped, from 1
  Tensor info;    ///< int32, one a matrix: 0, or i when element i of the diagonal of U is 0
};
/// P^T A = L U for A [..., m, n] with partial pivoting. Raises NotImplementedError without `pivot`.
LuFactors lu_factor_ex(const Tensor& a, bool pivot = true);
/// Raises ValueError for a zero on the diagonal of U.
LuFactors lu_factor(const Tensor& a, bool pivot = true);

struct Plu {
  Tensor p, l, u;
};
/// A = P L U of [..., m, n] with L [..., m, k], U [..., k, n], k = min(m, n).
Plu lu(const Tensor& a, bool pivot = true);
/// What lu_factor wrote in one: without `data` no l and u, without `pivots` no p (tensors without elements).
Plu lu_unpack(const Tensor& lu, const Tensor& pivots, bool unpack_data = true, bool unpack_pivots = true);
/// X of op(A) X = B, or X op(A) = B when not left, op taking the adjoint if so wished. Batches are broadcast.
Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left = true, bool adjoint = false);

struct LdlFactors {
  Tensor ld, pivots, info;
};
/// A = L D L^T (L^H when hermitian) of [..., n, n], its lower triangle read. Its backward raises NotImplementedError.
LdlFactors ldl_factor_ex(const Tensor& a, bool hermitian = false);
/// Raises LinAlgError where D is singular.
LdlFactors ldl_factor(const Tensor& a, bool hermitian = false);
/// X of A X = B, A given by its factors; differentiable in b, while a gradient of the factors raises
/// NotImplementedError.
Tensor ldl_solve(const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian = false);

}  // namespace hearth
