// Singular value decomposition.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

struct Svd {
  Tensor u, s, vh;
};
/// A = U diag(S) V^H of [..., m, n], k = min(m, n): S [..., k] real, descending; U [..., m, m] and Vh [..., n, n] when
/// `full`, else [..., m, k] and [..., k, n]. Singular vectors are determined up to a phase, which a loss must not
/// depend on; only the first k of them get gradients. Raises LinAlgError. Example: auto [u, s, vh] = svd(a, false);
Svd svd(const Tensor& a, bool full = true);
Tensor svdvals(const Tensor& a);

}  // namespace hearth
