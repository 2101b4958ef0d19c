// Linear systems and inverses.
#pragma once

#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// X of A X = B (left: A [..., n, n], B [..., n, k]) or X A = B (B [..., k, n]) for triangular A, of which only the
/// named triangle is read (not its diagonal, taken as ones, when `unit`). Batches are broadcast. A zero on the diagonal
/// gives infinities, no error. Example: Tensor x = solve_triangular(l, b, false);
Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left = true, bool unit = false);

struct SolveInfo {
  Tensor result;
  Tensor info;  ///< int32, one a matrix: 0, or i when element i of the diagonal of U is 0
};
/// X of A X = B, or of X A = B when not left. b is [..., n, k], or vectors: [n], or [..., n] with exactly A's batch.
SolveInfo solve_ex(const Tensor& a, const Tensor& b, bool left = true);
/// The solution alone. Raises LinAlgError for a singular matrix. Example: Tensor x = solve(a, b);
Tensor solve(const Tensor& a, const Tensor& b, bool left = true);

/// The inverse of [..., n, n]; what stands in singular ones is of no use.
SolveInfo inv_ex(const Tensor& a);
/// Raises LinAlgError for a singular matrix.
Tensor inv(const Tensor& a);

/// X with tensordot(a, X, X.dim()) = b; a's dimensions `dims` go to its end first. Raises ShapeError unless a is then
/// square. Example: tensorsolve(eye of [2, 3, 6], ones [2, 3]) is [6].
Tensor tensorsolve(const Tensor& a, const Tensor& b, const std::vector<int64_t>& dims = {});
/// The inverse of a as a map from its last dimensions to its first `ind`.
Tensor tensorinv(const Tensor& a, int64_t ind = 2);

}  // namespace hearth
