// Determinants, from LU factors.
#include "hearth/ops/determinant.h"

#include <limits>

#include "hearth/ops/compare.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/lu.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// 1 or -1 [...] in `dtype`: the sign of the permutation that pivots describe.
Tensor permutation_sign(const Tensor& pivots, Dtype dtype) {
  const Tensor straight = arange(1, pivots.size(-1) + 1, 1, Dtype::int32);
  const Tensor swaps = sum(to(ne(pivots, straight), Dtype::int64), {-1});
  return to(sub(1, mul(remainder(swaps, 2), 2)), dtype);
}

/// a with exact zeros on the diagonal of its U moved a little, so that it has an inverse.
Tensor made_regular(const Tensor& a) {
  Tensor shift;
  {
    NoGrad guard;
    const LuFactors factors = lu_factor_ex(a);
    const Tensor zero = eq(main_diagonal(factors.lu), 0);
    if (!any(zero).item()) return a;
    const double epsilon = real_type(a.dtype()) == Dtype::float32 ? std::numeric_limits<float>::epsilon()
                                                                  : std::numeric_limits<double>::epsilon();
    // Enough that adding it is not rounded away; how much does not matter, the determinant takes it back.
    const Tensor size = clamp_min(amax(abs(a.detach()), {-2, -1}, true), 1e-20);
    const Plu parts = lu_unpack(factors.lu, factors.pivots);
    shift = matmul(parts.p, matmul(parts.l, mul(diag_embed(to(zero, a.dtype())), mul(size, 16 * epsilon))));
  }
  return add(a, shift);
}

}  // namespace

Tensor det(const Tensor& a) {
  check_square("det", a);
  Tensor value;
  {
    NoGrad guard;
    const LuFactors factors = lu_factor_ex(a);
    value = mul(prod(main_diagonal(factors.lu), {-1}), permutation_sign(factors.pivots, a.dtype()));
  }
  if (!needs_grad(a)) return value;
  return record("det", value, {a}, [a = save(a)](const GradContext& c) -> Grads {
    // The adjugate, det(A) A^-1, which depends smoothly on A.
    const Tensor regular = made_regular(a.get(c));
    const Tensor scale = mul(c.dy(), conjugate(det(regular)));
    return {mul(mH(inv_ex(regular).result), unsqueeze(unsqueeze(scale, -1), -1))};
  });
}

SignLogDet slogdet(const Tensor& a) {
  check_square("slogdet", a);
  SignLogDet y;
  {
    NoGrad guard;
    const LuFactors factors = lu_factor_ex(a);
    const Tensor diagonal = main_diagonal(factors.lu);
    y.logabs = sum(log(abs(diagonal)), {-1});
    y.sign = mul(prod(sgn(diagonal), {-1}), permutation_sign(factors.pivots, a.dtype()));
  }
  if (!needs_grad(a)) return y;
  record_many("slogdet", {y.sign, y.logabs}, {a},
              [a = save(a), sign = save_output(y.sign, 0)](const GradContext& c) -> Grads {
                // d log det = tr(A^-1 dA); its real part moves the logarithm, its imaginary part turns the sign.
                const Tensor x = a.get(c);
                Tensor z = c.dys[1].defined() ? c.dys[1] : Tensor();
                if (is_complex(x.dtype()) && c.dys[0].defined()) {
                  const Tensor turn = neg(imag(mul(conj(c.dys[0]), sign.get(c))));
                  z = complex(z.defined() ? z : zeros_like(turn), turn);
                }
                if (!z.defined()) return {zeros_like(x)};
                return {mul(mH(inv_ex(x).result), unsqueeze(unsqueeze(z, -1), -1))};
              });
  return y;
}

Tensor logdet(const Tensor& a) {
  check_square("logdet", a);
  const SignLogDet parts = slogdet(a);
  if (is_complex(a.dtype())) return add(log(parts.sign), to(parts.logabs, a.dtype()));
  return where(lt(parts.sign, 0), std::numeric_limits<double>::quiet_NaN(), parts.logabs);
}

}  // namespace hearth
