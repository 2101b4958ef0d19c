// Eigenvalues and eigenvectors.
#include "hearth/ops/eig.h"

#include "hearth/backend/kernels/linalg.h"
#include "hearth/ops/compare.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// w_j - w_i, with ones on the diagonal.
Tensor differences(const Tensor& w) {
  return add(sub(unsqueeze(w, -2), unsqueeze(w, -1)), eye(w.size(-1), w.size(-1), w.dtype()));
}

/// Raises LinAlgError when the gradient of eigenvectors, `inner` = V^H gV, would turn one by a phase: the loss then
/// depends on what is not determined.
void check_phases(const char* op, const Tensor& inner) {
  if (!is_complex(inner.dtype())) return;
  NoGrad guard;
  const Tensor turning = imag(main_diagonal(inner.detach()));
  check<ValueError>(allclose(turning, zeros_like(turning), 1e-2, 1e-2), op,
                    ": the loss depends on the phases of the eigenvectors, which are arbitrary");
}

/// gA = V (diag(gw) + skew(V^H gV) / (w_j - w_i)) V^H (Giles 2008, "An extended collection of matrix derivative
/// results", §3.1).
Tensor eigh_gradient(const Tensor& dw, const Tensor& dv, const Tensor& w, const Tensor& v) {
  Tensor inner;
  if (dv.defined()) {
    const Tensor turned = matmul(mH(v), dv);
    check_phases("eigh", turned);
    inner = div(mul(sub(turned, mH(turned)), 0.5), differences(w));
    if (dw.defined()) inner = add(inner, diag_embed(dw));
    return matmul(v, matmul(inner, mH(v)));
  }
  return matmul(scale_columns(v, dw), mH(v));
}

}  // namespace

Eigen eigh(const Tensor& a, bool upper) {
  check_square("eigh", a);
  const Shape batch = batch_of(a);
  const int64_t n = a.size(-1), count = batch.numel();
  const Tensor columns = to_columns(a), info = Tensor::empty(batch, Dtype::int32, a.device());
  const Tensor w = Tensor::empty(with_tail(batch, {n}), real_type(a.dtype()), a.device());
  kernels::eigh(a.device(), columns, reshape(w, {count, n}), reshape(info, {count}), upper, true);
  check_info("eigh", info, "the algorithm did not converge: ", " elements are left");
  const Tensor v = from_columns(columns, batch);
  if (!needs_grad(a)) return {w, v};
  record_many("eigh", {w, v}, {a}, [w = save_output(w, 0), v = save_output(v, 1)](const GradContext& c) -> Grads {
    return {eigh_gradient(c.dys[0], c.dys[1], w.get(c), v.get(c))};
  });
  return {w, v};
}

Tensor eigvalsh(const Tensor& a, bool upper) {
  if (needs_grad(a)) return eigh(a, upper).values;
  check_square("eigvalsh", a);
  const Shape batch = batch_of(a);
  const int64_t n = a.size(-1), count = batch.numel();
  const Tensor info = Tensor::empty(batch, Dtype::int32, a.device());
  const Tensor w = Tensor::empty(with_tail(batch, {n}), real_type(a.dtype()), a.device());
  kernels::eigh(a.device(), to_columns(a), reshape(w, {count, n}), reshape(info, {count}), upper, false);
  check_info("eigvalsh", info, "the algorithm did not converge: ", " elements are left");
  return w;
}

namespace {

/// gA = V^-H (diag(gw) + (V^H gV - V^H V Re diag(V^H gV)) / conj(w_j - w_i)) V^H; the projection keeps columns of unit
/// length (Boeddeker et al. 2017, "On the computation of complex-valued gradients", for the unprojected form).
Tensor eig_gradient(const Tensor& dw, const Tensor& dv, const Tensor& w, const Tensor& v) {
  Tensor inner;
  if (dv.defined()) {
    const Tensor vh = mH(v), turned = matmul(vh, dv);
    check_phases("eig", turned);
    const Tensor lengths = to(real(main_diagonal(turned)), v.dtype());
    inner = div(sub(turned, scale_columns(matmul(vh, v), lengths)), differences(conj(w)));
    if (dw.defined()) inner = add(inner, diag_embed(dw));
    return solve(vh, matmul(inner, vh));
  }
  return solve(mH(v), scale_rows(mH(v), dw));
}

Eigen eig_of(const char* op, const Tensor& a, bool vectors) {
  check_square(op, a);
  const Shape batch = batch_of(a);
  const int64_t n = a.size(-1), count = batch.numel();
  const Dtype dtype = complex_type(a.dtype());
  const Tensor w = Tensor::empty(with_tail(batch, {n}), dtype, a.device());
  const Tensor v = vectors ? Tensor::empty({count, n, n}, dtype, a.device()) : Tensor();
  const Tensor info = Tensor::empty(batch, Dtype::int32, a.device());
  kernels::eig(a.device(), to_columns(a), reshape(w, {count, n}), v, reshape(info, {count}));
  check_info(op, info, "the algorithm did not converge: eigenvalues from ", " on are missing");
  return {w, vectors ? from_columns(v, batch) : Tensor()};
}

}  // namespace

Eigen eig(const Tensor& a) {
  const Eigen y = eig_of("eig", a, true);
  if (!needs_grad(a)) return y;
  record_many(
      "eig", {y.values, y.vectors}, {a},
      [w = save_output(y.values, 0), v = save_output(y.vectors, 1), dtype = a.dtype()](const GradContext& c) -> Grads {
        return {gradient_like(eig_gradient(c.dys[0], c.dys[1], w.get(c), v.get(c)), dtype)};
      });
  return y;
}

Tensor eigvals(const Tensor& a) { return needs_grad(a) ? eig(a).values : eig_of("eigvals", a, false).values; }

}  // namespace hearth
