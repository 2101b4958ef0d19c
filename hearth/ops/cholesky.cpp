// Cholesky factors of Hermitian positive definite matrices, and what is solved with them.
#include "hearth/ops/cholesky.h"

#include "hearth/backend/kernels/linalg.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// gA = sym(L^-H tril'(L^H gL) L^-1), tril' halving the diagonal (Murray 2016, "Differentiation of the Cholesky
/// decomposition", §3).
Tensor cholesky_gradient(const Tensor& dy, const Tensor& factor, bool upper) {
  const Tensor l = upper ? mH(factor) : factor, dl = upper ? mH(dy) : dy;
  const Tensor phi = with_diagonal_times(tril(matmul(mH(l), dl)), 0.5);
  const Tensor hermitian = mul(add(phi, mH(phi)), 0.5);
  return solve_triangular(l, solve_triangular(mH(l), hermitian, true), false, false);
}

/// (A^-1 gA A^-1 of the product A = L L^H), carried on to the factor: what the inverse and the solver share.
Tensor through_product(const Tensor& product_gradient, const Tensor& factor, bool upper) {
  const Tensor both = add(product_gradient, mH(product_gradient));
  return upper ? matmul(factor, both) : matmul(both, factor);
}

}  // namespace

FactorInfo cholesky_ex(const Tensor& a, bool upper) {
  check_square("cholesky", a);
  const Shape batch = batch_of(a);
  const Tensor columns = to_columns(a), info = Tensor::empty(batch, Dtype::int32, a.device());
  kernels::cholesky(a.device(), columns, reshape(info, {batch.numel()}), upper);
  // A triangle of column-major memory is the other triangle of its rows.
  const Tensor factor = from_columns(upper ? tril(columns) : triu(columns), batch);
  if (!needs_grad(a)) return {factor, info};
  record("cholesky", factor, {a}, [l = save_output(factor), upper](const GradContext& c) -> Grads {
    return {cholesky_gradient(c.dy(), l.get(c), upper)};
  });
  return {factor, info};
}

Tensor cholesky(const Tensor& a, bool upper) {
  const FactorInfo result = cholesky_ex(a, upper);
  check_info("cholesky", result.info, "the leading minor of order ", " is not positive definite");
  return result.factor;
}

Tensor cholesky_inverse(const Tensor& factor, bool upper) {
  check_square("cholesky_inverse", factor);
  const Shape batch = batch_of(factor);
  const Tensor columns = to_columns(factor), info = Tensor::empty(batch, Dtype::int32, factor.device());
  kernels::cholesky_inverse(factor.device(), columns, reshape(info, {batch.numel()}), upper);
  check_info("cholesky_inverse", info, "diagonal element ", " is 0");
  Tensor inverse;
  {
    NoGrad guard;
    const Tensor half = from_columns(columns, batch);
    inverse = upper ? add(triu(half), mH(triu(half, 1))) : add(tril(half), mH(tril(half, -1)));
  }
  if (!needs_grad(factor)) return inverse;
  return record("cholesky_inverse", inverse, {factor},
                [x = save_output(inverse), l = save(factor), upper](const GradContext& c) -> Grads {
                  const Tensor inner = matmul(x.get(c), matmul(c.dy(), x.get(c)));
                  return {neg(through_product(inner, l.get(c), upper))};
                });
}

Tensor cholesky_solve(const Tensor& b, const Tensor& factor, bool upper) {
  check_matrix("cholesky_solve", b);
  check_square("cholesky_solve", factor);
  check_same_dtype("cholesky_solve", b, factor);
  check<ShapeError>(b.size(-2) == factor.size(-1), "cholesky_solve: sizes do not fit: ", b.shape(), " and factor ",
                    factor.shape());
  const auto [right, l] = broadcast_batches("cholesky_solve", b, factor);
  const Tensor columns = to_columns(right);
  kernels::cholesky_solve(b.device(), columns, to_columns(l), upper);
  const Tensor x = from_columns(columns, batch_of(right));
  if (!needs_grad(right, l)) return x;
  return record("cholesky_solve", x, {right, l},
                [x = save_output(x), l = save(l), upper](const GradContext& c) -> Grads {
                  const Tensor db = cholesky_solve(c.dy(), l.get(c), upper);
                  if (!c.needs(1)) return {db, Tensor()};
                  return {db, neg(through_product(matmul(db, mH(x.get(c))), l.get(c), upper))};
                });
}

}  // namespace hearth
