// Decompositions and solvers under torch.*, older than hearth.linalg's forms.
#include "hearth/ops/cholesky.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/determinant.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/lu.h"
#include "hearth/ops/matrix_function.h"
#include "hearth/ops/pseudo_inverse.h"
#include "hearth/ops/qr.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/svd.h"
#include "hearth/ops/view.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding factors{[](Module& m) {
  m.def(
      "cholesky(input: Tensor, upper: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return cholesky(a.tensor(0), a.flag(1)); }, method);
  m.def(
      "cholesky_inverse(input: Tensor, upper: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return cholesky_inverse(a.tensor(0), a.flag(1)); }, method);
  m.def(
      "cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return cholesky_solve(a.tensor(0), a.tensor(1), a.flag(2)); }, method);
  m.def(
      "lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return lu_solve(a.tensor(1), a.tensor(2), a.tensor(0)); }, method);
  m.def(
      "lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *, "
      "out: any = None)",
      [](Args& a) {
        const Plu y = lu_unpack(a.tensor(0), a.tensor(1), a.flag(2), a.flag(3));
        return Named{"lu_unpack", {"P", "L", "U"}, {y.p, y.l, y.u}};
      });
  m.def(
      "lu(input: Tensor, pivot: bool = True, get_infos: bool = False, *, out: any = None)",
      [](Args& a) {
        const LuFactors f = a.flag(2) ? lu_factor_ex(a.tensor(0), a.flag(1)) : lu_factor(a.tensor(0), a.flag(1));
        return a.flag(2) ? TensorList{f.lu, f.pivots, f.info} : TensorList{f.lu, f.pivots};
      },
      method);
  m.def(
      "geqrf(input: Tensor, *, out: any = None)",
      [](Args& a) {
        const Reflectors y = geqrf(a.tensor(0));
        return Named{"geqrf", {"a", "tau"}, {y.a, y.tau}};
      },
      method);
  const auto product = [](Args& a) { return householder_product(a.tensor(0), a.tensor(1)); };
  m.def("orgqr(input: Tensor, input2: Tensor, *, out: Tensor? = None)", product, method);
  m.def(
      "ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False, *, "
      "out: Tensor? = None)",
      [](Args& a) { return ormqr(a.tensor(0), a.tensor(1), a.tensor(2), a.flag(3), a.flag(4)); }, method);
  m.def(
      "qr(input: Tensor, some: bool = True, *, out: any = None)",
      [](Args& a) {
        const QrFactors y = qr(a.tensor(0), a.flag(1) ? "reduced" : "complete");
        return Named{"qr", {"Q", "R"}, {y.q, y.r}};
      },
      method);
}};

/// torch.svd: V, not its adjoint; without vectors zeros stand in their place.
Named old_svd(const Tensor& x, bool some, bool vectors) {
  if (vectors) {
    const Svd y = svd(x, !some);
    return {"svd", {"U", "S", "V"}, {y.u, y.s, mH(y.vh)}};
  }
  const Tensor s = svdvals(x);
  const auto none = [&](int64_t n) { return zeros(with_tail(batch_of(x), {n, n}), x.dtype(), x.device()); };
  return {"svd", {"U", "S", "V"}, {none(x.size(-2)), s, none(x.size(-1))}};
}

/// torch.triangular_solve: b, with its batch broadcast against a's, and a copy of a.
Named old_triangular(Args& a) {
  const Tensor &b = a.tensor(0), &matrix = a.tensor(1);
  check_matrix("triangular_solve", b);
  check_square("triangular_solve", matrix);
  const auto [coefficients, sides] = broadcast_batches("triangular_solve", matrix, b);
  const bool upper = a.flag(2), turned = a.flag(3);
  const Tensor x = turned ? solve_triangular(mT(coefficients), sides, !upper, true, a.flag(4))
                          : solve_triangular(coefficients, sides, upper, true, a.flag(4));
  return {"triangular_solve", {"solution", "cloned_coefficient"}, {x, clone(coefficients)}};
}

const Binding others{[](Module& m) {
  m.def(
      "svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: any = None)",
      [](Args& a) { return old_svd(a.tensor(0), a.flag(1), a.flag(2)); }, method);
  m.def(
      "triangular_solve(input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, "
      "unitriangular: bool = False, *, out: any = None)",
      [](Args& a) { return old_triangular(a); }, method);
  m.def(
      "pinverse(input: Tensor, rcond: float = 1e-15)",
      [](Args& a) {
        return pinv(a.tensor(0), {zeros({}, Dtype::float64), scalar_tensor(a.real(1), Dtype::float64), false});
      },
      method);
  const auto inverse = [](Args& a) { return inv(a.tensor(0)); };
  m.def("inverse(input: Tensor, *, out: Tensor? = None)", inverse, method);
  m.def(
      "det(input: Tensor)", [](Args& a) { return det(a.tensor(0)); }, method);
  m.def(
      "slogdet(input: Tensor, *, out: any = None)",
      [](Args& a) {
        const SignLogDet y = slogdet(a.tensor(0));
        return Named{"slogdet", {"sign", "logabsdet"}, {y.sign, y.logabs}};
      },
      method);
  m.def(
      "logdet(input: Tensor)", [](Args& a) { return logdet(a.tensor(0)); }, method);
  m.def(
      "matrix_exp(input: Tensor)", [](Args& a) { return matrix_exp(a.tensor(0)); }, method);
  m.def(
      "matrix_power(input: Tensor, n: int, *, out: Tensor? = None)",
      [](Args& a) { return matrix_power(a.tensor(0), a.integer(1)); }, method);
}};

}  // namespace

}  // namespace hearth::python
