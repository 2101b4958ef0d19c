// Pseudo-inverses, ranks and least squares.
#pragma once

#include <optional>
#include <string_view>

#include "hearth/core/tensor.h"

namespace hearth {

/// Singular values (with `hermitian`: moduli of eigenvalues) up to max(atol, rtol * the largest) count as 0. atol and
/// rtol are tensors broadcast against the batch, or undefined: 0 and max(m, n) times the dtype's epsilon, rtol being 0
/// when only atol is given.
struct RankTolerance {
  Tensor atol, rtol;
  bool hermitian = false;
};
/// The Moore-Penrose inverse [..., n, m].
Tensor pinv(const Tensor& a, const RankTolerance& tolerance = {});
/// How many singular values are not 0; int64.
Tensor matrix_rank(const Tensor& a, const RankTolerance& tolerance = {});

struct Lstsq {
  Tensor solution;   ///< [..., n, k]
  Tensor residuals;  ///< [..., k] of A X - B squared, where m > n, every matrix has full rank and the driver is not
                     ///< gelsy; else no elements
  Tensor rank;       ///< int64; no elements for the driver gels
  Tensor singular_values;  ///< for gelsd and gelss; else no elements
};
/// X of least |A X - B|, a [..., m, n], b [..., m, k] or, with one dimension less than a, [..., m]. rcond < 0: the
/// dtype's epsilon times max(m, n). driver: gels (full rank), gelsy, gelsd or gelss.
Lstsq lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond = {}, std::string_view driver = "gelsy");

}  // namespace hearth
