// Linear systems and inverses.
#include "hearth/ops/solve.h"

#include <algorithm>

#include "hearth/backend/kernels/linalg.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::Transposed;

namespace {

Tensor triangle(const Tensor& x, bool upper, bool unit) { return upper ? triu(x, unit) : tril(x, unit ? -1 : 0); }

/// a and b have one batch.
Tensor triangular_of(const Tensor& a, const Tensor& b, bool upper, bool left, bool unit) {
  const Tensor columns = to_columns(b);
  kernels::solve_triangular(a.device(), columns, to_columns(a), upper, left, unit, Transposed::no);
  const Tensor x = from_columns(columns, batch_of(b));
  if (!needs_grad(a, b)) return x;
  return record("solve_triangular", x, {a, b},
                [a = save(a), x = save_output(x), upper, left, unit](const GradContext& c) -> Grads {
                  const Tensor db = triangular_of(mH(a.get(c)), c.dy(), !upper, left, unit);
                  if (!c.needs(0)) return {Tensor(), db};
                  const Tensor xh = mH(x.get(c));
                  return {triangle(neg(left ? matmul(db, xh) : matmul(xh, db)), upper, unit), db};
                });
}

}  // namespace

Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left, bool unit) {
  check_square("solve_triangular", a);
  check_matrix("solve_triangular", b);
  check_same_dtype("solve_triangular", a, b);
  check<ShapeError>(b.size(left ? -2 : -1) == a.size(-1), "solve_triangular: sizes do not fit: ", a.shape(), " and ",
                    b.shape(), left ? "" : " from the right");
  const auto [triangular, right] = broadcast_batches("solve_triangular", a, b);
  return triangular_of(triangular, right, upper, left, unit);
}

namespace {

/// One batch of matrices and of right-hand sides.
SolveInfo solve_matrices(const Tensor& a, const Tensor& b) {
  const Shape batch = batch_of(a);
  const Tensor lu = to_columns(a), columns = to_columns(b), info = Tensor::empty(batch, Dtype::int32, a.device());
  const Tensor pivots = Tensor::empty({batch.numel(), a.size(-1)}, Dtype::int32, a.device());
  kernels::lu_factor(a.device(), lu, pivots, reshape(info, {batch.numel()}));
  kernels::lu_solve(a.device(), columns, lu, pivots, Transposed::no);
  const Tensor x = from_columns(columns, batch);
  if (!needs_grad(a, b)) return {x, info};
  record("solve", x, {a, b}, [a = save(a), x = save_output(x)](const GradContext& c) -> Grads {
    const Tensor db = solve_matrices(mH(a.get(c)), c.dy()).result;
    return {c.needs(0) ? neg(matmul(db, mH(x.get(c)))) : Tensor(), db};
  });
  return {x, info};
}

/// Whether b stands for vectors, not matrices.
bool has_vectors(const Tensor& a, const Tensor& b) {
  return b.dim() == 1 || (b.dim() == a.dim() - 1 && b.shape() == with_tail(batch_of(a), {a.size(-1)}));
}

}  // namespace

SolveInfo solve_ex(const Tensor& a, const Tensor& b, bool left) {
  check_square("solve", a);
  check_same_dtype("solve", a, b);
  check<ShapeError>(b.dim() >= 1, "solve: the right-hand side needs at least one dimension");
  if (has_vectors(a, b)) {
    check<ShapeError>(left, "solve: vectors can only be solved for from the left: ", a.shape(), " and ", b.shape());
    check<ShapeError>(b.size(-1) == a.size(-1), "solve: sizes do not fit: ", a.shape(), " and ", b.shape());
    const Tensor side = expand(b, with_tail(batch_of(a), {a.size(-1)}));
    const SolveInfo found = solve_matrices(a, unsqueeze(side, -1));
    return {squeeze(found.result, -1), found.info};
  }
  check<ShapeError>(b.dim() >= 2 && b.size(left ? -2 : -1) == a.size(-1), "solve: sizes do not fit: ", a.shape(),
                    " and ", b.shape(), left ? "" : " from the right");
  const auto [matrices, sides] = broadcast_batches("solve", a, b);
  if (left) return solve_matrices(matrices, sides);
  const SolveInfo found = solve_matrices(mT(matrices), mT(sides));
  return {mT(found.result), found.info};
}

Tensor solve(const Tensor& a, const Tensor& b, bool left) {
  const SolveInfo found = solve_ex(a, b, left);
  check_info("solve", found.info, "the matrix is singular: diagonal element ", " of U is 0");
  return found.result;
}

SolveInfo inv_ex(const Tensor& a) {
  check_square("inv", a);
  SolveInfo found;
  {
    NoGrad guard;
    found = solve_matrices(a, identity_like(a, batch_of(a), a.size(-1)));
  }
  if (!needs_grad(a)) return found;
  record("inv", found.result, {a}, [x = save_output(found.result)](const GradContext& c) -> Grads {
    const Tensor xh = mH(x.get(c));
    return {neg(matmul(xh, matmul(c.dy(), xh)))};
  });
  return found;
}

Tensor inv(const Tensor& a) {
  const SolveInfo found = inv_ex(a);
  check_info("inv", found.info, "the matrix is singular: diagonal element ", " of U is 0");
  return found.result;
}

Tensor tensorsolve(const Tensor& a, const Tensor& b, const std::vector<int64_t>& dims) {
  Tensor map = a;
  if (!dims.empty()) {
    Shape order;
    std::vector<int> last;
    for (int64_t d : dims) last.push_back(wrap_dim("tensorsolve", d, a.dim()));
    for (int d = 0; d < a.dim(); ++d)
      if (std::find(last.begin(), last.end(), d) == last.end()) order.push_back(d);
    for (int d : last) order.push_back(d);
    map = permute(a, order);
  }
  check<ShapeError>(map.dim() >= b.dim(),
                    "tensorsolve: the map has fewer dimensions than the right-hand side: ", a.shape(), " and ",
                    b.shape());
  Shape tail;
  for (int d = b.dim(); d < map.dim(); ++d) tail.push_back(map.shape()[d]);
  check<ShapeError>(tail.numel() == b.numel() && map.numel() == b.numel() * tail.numel(),
                    "tensorsolve: the map is not square: ", a.shape(), " and ", b.shape());
  const Tensor square = reshape(map, {b.numel(), tail.numel()});
  return reshape(solve(square, reshape(b, {b.numel()})), tail);
}

Tensor tensorinv(const Tensor& a, int64_t ind) {
  check<ValueError>(ind > 0, "tensorinv: ind must be positive: ", ind);
  check<ShapeError>(ind <= a.dim(), "tensorinv: ind is larger than the number of dimensions: ", ind, ", ", a.shape());
  Shape first, last;
  for (int d = 0; d < a.dim(); ++d) (d < ind ? first : last).push_back(a.shape()[d]);
  check<ShapeError>(first.numel() == last.numel(), "tensorinv: the map is not square: ", a.shape(), ", ind ", ind);
  Shape shape = last;
  for (int64_t size : first) shape.push_back(size);
  return reshape(inv(reshape(a, {first.numel(), last.numel()})), shape);
}

}  // namespace hearth
