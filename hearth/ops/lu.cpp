// LU and LDL factors, solving with them, taking them apart.
#include "hearth/ops/lu.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "hearth/backend/kernels/linalg.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::Transposed;

namespace {

/// L [..., m, k] and U [..., k, n] of LU factors written in one.
std::pair<Tensor, Tensor> triangles(const Tensor& lu) {
  const int64_t k = std::min(lu.size(-1), lu.size(-2));
  Tensor unit;
  {
    NoGrad guard;
    unit = eye(lu.size(-2), k, lu.dtype());
  }
  return {add(tril(narrow(lu, -1, 0, k), -1), unit), triu(narrow(lu, -2, 0, k))};
}

/// The gradient of A, rows permuted, from those of L and U. With F = L1^-1 dB U1^-1 of the square block B1 of B = P^T
/// A, dL1 = L1 tril(F, -1) and dU1 = triu(F) U1; the rest follows from the blocks that are left.
Tensor plu_gradient(const Tensor& dlu, const Tensor& lu) {
  const auto [l, u] = triangles(lu);
  const int64_t m = lu.size(-2), n = lu.size(-1), k = std::min(m, n);
  const Tensor dl = tril(narrow(dlu, -1, 0, k), -1), du = triu(narrow(dlu, -2, 0, k));
  const Tensor l1 = narrow(l, -2, 0, k), u1 = narrow(u, -1, 0, k);
  Tensor below = matmul(mH(l1), narrow(dl, -2, 0, k)), above = matmul(narrow(du, -1, 0, k), mH(u1));
  if (n > k) below = sub(below, matmul(narrow(du, -1, k, n - k), mH(narrow(u, -1, k, n - k))));
  if (m > k) above = sub(above, matmul(mH(narrow(l, -2, k, m - k)), narrow(dl, -2, k, m - k)));
  const Tensor f = add(tril(below, -1), triu(above));
  const Tensor half = solve_triangular(mH(l1), f, true, true, true);
  const Tensor square = solve_triangular(mH(u1), half, false, false);
  if (n > k) return cat({square, solve_triangular(mH(l1), narrow(du, -1, k, n - k), true, true, true)}, -1);
  if (m > k) return cat({square, solve_triangular(mH(u1), narrow(dl, -2, k, m - k), false, false)}, -2);
  return square;
}

/// The permutation matrices [..., m, m] of A = P L U that pivots (from 1) describe.
Tensor permutation(const Tensor& pivots, int64_t m, Dtype dtype) {
  const Shape batch = batch_of(pivots, 1);
  const int64_t k = pivots.size(-1), count = batch.numel();
  const Tensor p = zeros(with_tail(batch, {m, m}), Dtype::float32, pivots.device());
  const Tensor swaps = contiguous(pivots.detach());
  const int32_t* swap = swaps.data<int32_t>();
  float* values = p.data<float>();
  std::vector<int64_t> row(static_cast<size_t>(m));
  for (int64_t b = 0; b < count; ++b) {
    std::iota(row.begin(), row.end(), 0);
    for (int64_t i = 0; i < k; ++i) {
      const int64_t other = swap[b * k + i] - 1;
      check<ValueError>(other >= 0 && other < m && i < m, "lu_unpack: pivot out of range: ", other + 1, " for ", m,
                        " rows");
      std::swap(row[size_t(i)], row[size_t(other)]);
    }
    for (int64_t i = 0; i < m; ++i) values[(b * m + row[size_t(i)]) * m + i] = 1;
  }
  return to(p, dtype);
}

void check_pivots(const char* op, const Tensor& lu, const Tensor& pivots) {
  check<DtypeError>(pivots.dtype() == Dtype::int32, op, ": pivots must be int32: ", pivots.dtype());
  const Shape expected = with_tail(batch_of(lu), {std::min(lu.size(-1), lu.size(-2))});
  check<ShapeError>(pivots.shape() == expected, op, ": pivots have shape ", pivots.shape(), ", expected ", expected);
}

}  // namespace

LuFactors lu_factor_ex(const Tensor& a, bool pivot) {
  check_matrix("lu_factor", a);
  check<NotImplementedError>(pivot, "lu_factor: only with pivoting on the CPU");
  const Shape batch = batch_of(a);
  const int64_t count = batch.numel(), k = std::min(a.size(-1), a.size(-2));
  const Tensor columns = to_columns(a), info = Tensor::empty(batch, Dtype::int32, a.device());
  const Tensor pivots = Tensor::empty(with_tail(batch, {k}), Dtype::int32, a.device());
  kernels::lu_factor(a.device(), columns, reshape(pivots, {count, k}), reshape(info, {count}));
  const Tensor lu = from_columns(columns, batch);
  if (!needs_grad(a)) return {lu, pivots, info};
  record("lu_factor", lu, {a}, [lu = save_output(lu), pivots](const GradContext& c) -> Grads {
    const Tensor factors = lu.get(c);
    return {matmul(permutation(pivots, factors.size(-2), factors.dtype()), plu_gradient(c.dy(), factors))};
  });
  return {lu, pivots, info};
}

LuFactors lu_factor(const Tensor& a, bool pivot) {
  const LuFactors found = lu_factor_ex(a, pivot);
  const Tensor info = contiguous(found.info);
  for (int64_t i = 0; i < info.numel(); ++i)
    check<ValueError>(info.data<int32_t>()[i] == 0, "lu_factor: diagonal element ", info.data<int32_t>()[i],
                      " of U is 0, so that solving would divide by zero; lu and lu_factor_ex do not mind");
  return found;
}

Plu lu_unpack(const Tensor& lu, const Tensor& pivots, bool unpack_data, bool unpack_pivots) {
  check_matrix("lu_unpack", lu);
  const Tensor nothing = Tensor::empty({0}, lu.dtype(), lu.device());
  Plu parts{nothing, nothing, nothing};
  if (unpack_pivots) {
    check_pivots("lu_unpack", lu, pivots);
    parts.p = permutation(pivots, lu.size(-2), lu.dtype());
  }
  if (unpack_data) std::tie(parts.l, parts.u) = triangles(lu);
  return parts;
}

Plu lu(const Tensor& a, bool pivot) {
  const LuFactors found = lu_factor_ex(a, pivot);
  return lu_unpack(found.lu, found.pivots);
}

namespace {

/// The same by triangular solves, differentiable in the factors too.
Tensor lu_solve_composed(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool adjoint) {
  const auto [l, u] = triangles(lu);
  const Tensor p = permutation(pivots, lu.size(-2), lu.dtype());
  if (!adjoint) return solve_triangular(u, solve_triangular(l, matmul(mT(p), b), false, true, true), true);
  return matmul(p, solve_triangular(mH(l), solve_triangular(mH(u), b, false), true, true, true));
}

/// One batch, from the left.
Tensor lu_solve_matrices(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool adjoint) {
  if (needs_grad(lu)) return lu_solve_composed(lu, pivots, b, adjoint);
  const Tensor columns = to_columns(b);
  const Tensor swaps = reshape(contiguous(pivots), {columns.size(0), lu.size(-1)});
  kernels::lu_solve(b.device(), columns, to_columns(lu), swaps, adjoint ? Transposed::conjugate : Transposed::no);
  const Tensor x = from_columns(columns, batch_of(b));
  if (!needs_grad(b)) return x;
  return record("lu_solve", x, {b}, [lu = save(lu), pivots, adjoint](const GradContext& c) -> Grads {
    return {lu_solve_matrices(lu.get(c), pivots, c.dy(), !adjoint)};
  });
}

}  // namespace

Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint) {
  check_square("lu_solve", lu);
  check_matrix("lu_solve", b);
  check_same_dtype("lu_solve", lu, b);
  check_pivots("lu_solve", lu, pivots);
  check<ShapeError>(b.size(left ? -2 : -1) == lu.size(-1), "lu_solve: sizes do not fit: ", lu.shape(), " and ",
                    b.shape(), left ? "" : " from the right");
  const auto [factors, sides] = broadcast_batches("lu_solve", lu, b);
  const Tensor swaps = expand(pivots, with_tail(batch_of(factors), {pivots.size(-1)}));
  {
    const Tensor all = contiguous(pivots.detach());
    for (int64_t i = 0; i < all.numel(); ++i)
      check<ValueError>(all.data<int32_t>()[i] > 0 && all.data<int32_t>()[i] <= lu.size(-1),
                        "lu_solve: pivot out of range: ", all.data<int32_t>()[i], " for ", lu.size(-1), " rows");
  }
  if (left) return lu_solve_matrices(factors, swaps, sides, adjoint);
  // X op(A) = B is op(A)^H X^H = B^H.
  return mH(lu_solve_matrices(factors, swaps, mH(sides), !adjoint));
}

namespace {

/// Raises ValueError unless the pivots are what ldl_factor makes: rows from 1, or negative and in equal pairs for
/// blocks of two. LAPACK would follow any others out of the matrix.
void check_blocks(const Tensor& pivots) {
  const Tensor all = contiguous(pivots.detach());
  const int32_t* p = all.data<int32_t>();
  const int64_t n = pivots.size(-1);
  for (int64_t start = 0; start < all.numel(); start += n)
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = std::abs(int64_t(p[start + i]));
      const bool pair = p[start + i] < 0;
      check<ValueError>(row >= 1 && row <= n && (!pair || (i + 1 < n && p[start + i + 1] == p[start + i])),
                        "ldl_solve: these pivots do not come from ldl_factor: ", p[start + i], " at ", i);
      i += pair;
    }
}

}  // namespace

LdlFactors ldl_factor_ex(const Tensor& a, bool hermitian) {
  check_square("ldl_factor", a);
  const Shape batch = batch_of(a);
  const int64_t count = batch.numel(), n = a.size(-1);
  const Tensor columns = to_columns(a), info = Tensor::empty(batch, Dtype::int32, a.device());
  const Tensor pivots = Tensor::empty(with_tail(batch, {n}), Dtype::int32, a.device());
  kernels::ldl_factor(a.device(), columns, reshape(pivots, {count, n}), reshape(info, {count}), hermitian);
  const Tensor ld = from_columns(triu(columns), batch);
  record_without_derivative("ldl_factor", {ld}, a);
  return {ld, pivots, info};
}

LdlFactors ldl_factor(const Tensor& a, bool hermitian) {
  const LdlFactors found = ldl_factor_ex(a, hermitian);
  check_info("ldl_factor", found.info, "diagonal element ", " of D is 0");
  return found;
}

Tensor ldl_solve(const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian) {
  check_square("ldl_solve", ld);
  check_matrix("ldl_solve", b);
  check_same_dtype("ldl_solve", ld, b);
  check_pivots("ldl_solve", ld, pivots);
  check<ShapeError>(b.size(-2) == ld.size(-1), "ldl_solve: sizes do not fit: ", ld.shape(), " and ", b.shape());
  check_blocks(pivots);
  const auto [factors, sides] = broadcast_batches("ldl_solve", ld, b);
  const Tensor swaps = expand(pivots, with_tail(batch_of(factors), {ld.size(-1)}));
  const Tensor columns = to_columns(sides);
  kernels::ldl_solve(b.device(), columns, to_columns(factors),
                     reshape(contiguous(swaps), {columns.size(0), ld.size(-1)}), hermitian);
  const Tensor x = from_columns(columns, batch_of(sides));
  if (!needs_grad(sides, factors)) return x;
  return record("ldl_solve", x, {sides, factors},
                [ld = save(factors), swaps, hermitian](const GradContext& c) -> Grads {
                  check<NotImplementedError>(!c.needs(1), "ldl_solve: has no derivative in the factors");
                  // A^H is A when hermitian, else the conjugate of A.
                  if (hermitian) return {ldl_solve(ld.get(c), swaps, c.dy(), true), Tensor()};
                  return {conjugate(ldl_solve(ld.get(c), swaps, conjugate(c.dy()), false)), Tensor()};
                });
}

}  // namespace hearth
