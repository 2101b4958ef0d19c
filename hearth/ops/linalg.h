// Products and small matrix functions that need no decomposition.
#pragma once

#include <optional>

#include "hearth/core/tensor.h"

namespace hearth {

/// Sum of products of two vectors of one length.
Tensor dot(const Tensor& a, const Tensor& b);
/// [m, k] x [k].
Tensor mv(const Tensor& a, const Tensor& b);
/// [m, k] x [k, n].
Tensor mm(const Tensor& a, const Tensor& b);
/// [batch, m, k] x [batch, k, n], nothing broadcast.
Tensor bmm(const Tensor& a, const Tensor& b);
/// beta * x + alpha * (a b), x broadcast; x is not read when beta is 0. Ranks as in mv, mm and bmm.
Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1);
Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1);
Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1);
/// [n] and [m] to [n, m].
Tensor outer(const Tensor& a, const Tensor& b);

/// Contracts dimension dims_a[i] of a with dims_b[i] of b; the others stay, a's first. Sizes of 1 do not broadcast.
Tensor tensordot(const Tensor& a, const Tensor& b, const std::vector<int64_t>& dims_a,
                 const std::vector<int64_t>& dims_b);
/// The last `dims` dimensions of a with the first of b.
Tensor tensordot(const Tensor& a, const Tensor& b, int64_t dims = 2);

/// Sum of a matrix's diagonal.
Tensor trace(const Tensor& x);
/// A matrix with x on a diagonal (x 1-dim), or a copy of a diagonal (x 2-dim).
Tensor diag(const Tensor& x, int64_t diagonal = 0);
/// The last dimension of x put on a diagonal of two new dimensions, zeros elsewhere.
Tensor diag_embed(const Tensor& x, int64_t offset = 0, int64_t dim1 = -2, int64_t dim2 = -1);
/// The Kronecker product; the shorter shape is filled up with ones in front.
Tensor kron(const Tensor& a, const Tensor& b);
/// The vector product along a dimension of size 3; the rest is broadcast.
Tensor cross(const Tensor& a, const Tensor& b, int64_t dim = -1);

/// Distances sum(|a_i - b_j|^p)^(1/p) between rows: [..., m, k] and [..., n, k] give [..., m, n]; p may be 0 (how many
/// differ) or infinite. The gradient at distance 0 is 0. For p = 2, `by_product` goes through a matrix product, faster
/// and less precise; by default with more than 25 rows on a side, as in PyTorch.
Tensor cdist(const Tensor& a, const Tensor& b, double p = 2, std::optional<bool> by_product = {});
/// sum(a b) / (max(|a|, eps) max(|b|, eps)) along `dim`, broadcast.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim = 1, double eps = 1e-8);
/// sqrt(sum(x^2)) of the last two dimensions; the gradient at 0 is 0.
Tensor matrix_norm(const Tensor& x, bool keepdim = false);

}  // namespace hearth
