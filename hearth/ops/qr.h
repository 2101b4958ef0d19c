// QR decomposition and products of Householder reflectors.
#pragma once

#include <string_view>

#include "hearth/core/tensor.h"

namespace hearth {

struct QrFactors {
  Tensor q, r;
};
/// A = Q R of [..., m, n], k = min(m, n). mode "reduced": Q [..., m, k], R [..., k, n]; "complete": Q [..., m, m],
/// R [..., m, n]; "r": the reduced R alone, Q without elements. Differentiable for "reduced" (where the first k columns
/// are independent) and for "complete" where m <= n; else backward raises ValueError.
/// Example: auto [q, r] = qr(a);
QrFactors qr(const Tensor& a, std::string_view mode = "reduced");

struct Reflectors {
  Tensor a;    ///< R on and above the diagonal, the vectors below it, their leading ones left out
  Tensor tau;  ///< [..., min(m, n)]
};
/// The decomposition as LAPACK writes it. Its backward raises NotImplementedError.
Reflectors geqrf(const Tensor& a);
/// The first n columns of H_1 H_2 ... H_k, H_i = I - tau_i v_i v_i^H, for vectors a [..., m, n], n <= m, tau [..., k],
/// k <= n.
Tensor householder_product(const Tensor& a, const Tensor& tau);
/// Q C (left) or C Q for the whole product Q of the reflectors; with Q^H when `transpose`.
Tensor ormqr(const Tensor& a, const Tensor& tau, const Tensor& c, bool left = true, bool transpose = false);

}  // namespace hearth
