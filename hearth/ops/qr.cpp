// QR decomposition and products of Householder reflectors.
#include "hearth/ops/qr.h"

#include <algorithm>

#include "hearth/backend/kernels/linalg.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::Transposed;

namespace {

Tensor zeros_if_undefined(const Tensor& g, const Tensor& like) { return g.defined() ? g : zeros_like(like); }

/// For A [..., m, n] = Q R, m >= n, Q [..., m, n]: gA = (gQ + Q M) R^-H, M the Hermitian matrix that has the upper
/// triangle of gR R^H - Q^H gQ (Walter and Lehmann 2018, "Algorithmic differentiation of linear algebra functions",
/// §4; here for complex numbers too).
Tensor tall_gradient(const Tensor& dq, const Tensor& dr, const Tensor& q, const Tensor& r) {
  const Tensor upper = triu(sub(matmul(dr, mH(r)), matmul(mH(q), dq)));
  const Tensor hermitian = with_diagonal_times(add(upper, mH(upper)), 0.5);
  return solve_triangular(mH(r), add(dq, matmul(q, hermitian)), false, false);
}

/// For m < n the first m columns X of A = [X Y] make Q, and Y = Q V follows.
Tensor wide_gradient(const Tensor& dq, const Tensor& dr, const Tensor& q, const Tensor& r, const Tensor& a) {
  const int64_t m = a.size(-2), rest = a.size(-1) - m;
  const Tensor y = narrow(a, -1, m, rest), dv = narrow(dr, -1, m, rest);
  const Tensor dx = tall_gradient(add(dq, matmul(y, mH(dv))), narrow(dr, -1, 0, m), q, narrow(r, -1, 0, m));
  return cat({dx, matmul(q, dv)}, -1);
}

/// Column-major reflectors [batch, n, m] and tau of a.
std::pair<Tensor, Tensor> factored(const Tensor& a) {
  const Tensor columns = to_columns(a);
  const Tensor tau = Tensor::empty({columns.size(0), std::min(a.size(-1), a.size(-2))}, a.dtype(), a.device());
  kernels::qr_factor(a.device(), columns, tau);
  return {columns, tau};
}

}  // namespace

QrFactors qr(const Tensor& a, std::string_view mode) {
  check_matrix("qr", a);
  check<ValueError>(mode == "reduced" || mode == "complete" || mode == "r",
                    "qr: mode must be reduced, complete or r: ", mode);
  const Shape batch = batch_of(a);
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n), width = mode == "complete" ? m : k;
  QrFactors y;
  {
    NoGrad guard;
    const auto [columns, tau] = factored(a);
    const Tensor upper = from_columns(columns, batch);
    y.r = triu(narrow(upper, -2, 0, std::min(m, width)));
    if (mode == "r") {
      y.q = Tensor::empty({0}, a.dtype(), a.device());
    } else {
      Tensor vectors = zeros({columns.size(0), width, m}, a.dtype(), a.device());
      copy_(narrow(vectors, 1, 0, k), narrow(columns, 1, 0, k));
      if (k == 0 && width > 0) copy_(vectors, eye(width, m, a.dtype()));
      if (k > 0) kernels::qr_product(a.device(), vectors, tau);
      y.q = from_columns(vectors, batch);
    }
  }
  if (!needs_grad(a)) return y;
  const bool differentiable = mode == "reduced" || (mode == "complete" && m <= n);
  record_many("qr", mode == "r" ? TensorList{y.r} : TensorList{y.q, y.r}, {a},
              [a = save(a), q = save_output(y.q, 0), r = save_output(y.r, mode == "r" ? 0 : 1),
               differentiable](const GradContext& c) -> Grads {
                check<ValueError>(differentiable,
                                  "qr: only differentiable for mode reduced, or complete with at least "
                                  "as many columns as rows");
                const Tensor x = a.get(c), of_q = q.get(c), of_r = r.get(c);
                const Tensor dq = zeros_if_undefined(c.dys[0], of_q), dr = zeros_if_undefined(c.dys[1], of_r);
                if (x.size(-2) >= x.size(-1)) return {tall_gradient(dq, dr, of_q, of_r)};
                return {wide_gradient(dq, dr, of_q, of_r, x)};
              });
  return y;
}

Reflectors geqrf(const Tensor& a) {
  check_matrix("geqrf", a);
  const Shape batch = batch_of(a);
  const auto [columns, tau] = factored(a);
  const Reflectors y{from_columns(columns, batch), reshape(tau, with_tail(batch, {tau.size(-1)})).detach()};
  record_without_derivative("geqrf", {y.a, y.tau}, a);
  return y;
}

namespace {

void check_reflectors(const char* op, const Tensor& a, const Tensor& tau) {
  check_matrix(op, a);
  check_same_dtype(op, a, tau);
  check<ShapeError>(a.size(-2) >= a.size(-1), op, ": needs at least as many rows as columns: ", a.shape());
  check<ShapeError>(tau.dim() == a.dim() - 1 && batch_of(tau, 1) == batch_of(a) && tau.size(-1) <= a.size(-1), op,
                    ": tau [..., k] with a's batch and k <= n is needed: ", tau.shape(), " beside ", a.shape());
}

/// (I - t v v^H) x for reflector i of a, as ops.
Tensor reflect(const Tensor& a, const Tensor& tau, int64_t i, const Tensor& x, bool adjoint) {
  const int64_t m = a.size(-2);
  const Shape batch = batch_of(a);
  Tensor head;
  {
    NoGrad guard;
    head = cat({zeros(with_tail(batch, {i, 1}), a.dtype()), ones(with_tail(batch, {1, 1}), a.dtype())}, -2);
  }
  const Tensor v = cat({head, narrow(narrow(a, -1, i, 1), -2, i + 1, m - i - 1)}, -2);
  const Tensor t = unsqueeze(narrow(tau, -1, i, 1), -1);
  return sub(x, mul(matmul(v, matmul(mH(v), x)), adjoint ? conjugate(t) : t));
}

/// Q X, or Q^H X, as ops; what gradients need.
Tensor multiply_composed(const Tensor& a, const Tensor& tau, const Tensor& x, bool adjoint) {
  Tensor y = x;
  const int64_t k = tau.size(-1);
  for (int64_t i = 0; i < k; ++i) y = reflect(a, tau, adjoint ? i : k - 1 - i, y, adjoint);
  return y;
}

}  // namespace

Tensor householder_product(const Tensor& a, const Tensor& tau) {
  check_reflectors("householder_product", a, tau);
  const Shape batch = batch_of(a);
  if (needs_grad(a, tau)) {
    const Tensor start = expand(eye(a.size(-2), a.size(-1), a.dtype()), a.shape());
    return multiply_composed(a, tau, start, false);
  }
  const Tensor columns = to_columns(a);
  kernels::qr_product(a.device(), columns, reshape(contiguous(tau.detach()), {columns.size(0), tau.size(-1)}));
  return from_columns(columns, batch);
}

Tensor ormqr(const Tensor& a, const Tensor& tau, const Tensor& c, bool left, bool transpose) {
  check<ShapeError>(a.dim() >= 2 && c.dim() >= 2, "ormqr: needs at least two dimensions: ", a.shape(), " and ",
                    c.shape());
  const int64_t m = c.size(left ? -2 : -1), k = tau.dim() ? tau.size(-1) : 0;
  check<ShapeError>(
      tau.dim() == a.dim() - 1 && batch_of(tau, 1) == batch_of(a) && c.dim() == a.dim() && batch_of(c) == batch_of(a),
      "ormqr: batches differ: ", a.shape(), ", tau ", tau.shape(), ", other ", c.shape());
  check<ShapeError>(a.size(-2) == m && k == std::min(m, a.size(-1)), "ormqr: sizes do not fit: ", a.shape(), ", tau ",
                    tau.shape(), ", other ", c.shape(), left ? "" : " from the right");
  check_matrix("ormqr", a);
  check_matrix("ormqr", c);
  check_same_dtype("ormqr", a, tau);
  check_same_dtype("ormqr", a, c);
  if (needs_grad(a, tau, c)) {
    // C Q is (Q^H C^H)^H.
    if (left) return multiply_composed(a, tau, c, transpose);
    return mH(multiply_composed(a, tau, mH(c), !transpose));
  }
  const Tensor columns = to_columns(c), vectors = to_columns(a.size(-1) == k ? a : narrow(a.detach(), -1, 0, k));
  kernels::qr_multiply(c.device(), columns, vectors, reshape(contiguous(tau.detach()), {columns.size(0), k}), left,
                       transpose ? Transposed::conjugate : Transposed::no);
  return from_columns(columns, batch_of(c));
}

}  // namespace hearth
