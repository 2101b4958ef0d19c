// Norms of vectors and matrices, and condition numbers.
#include "hearth/ops/matrix_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/ops/compare.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/svd.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Tensor typed(const char* op, const Tensor& x, std::optional<Dtype> dtype) {
  check<DtypeError>(is_differentiable(x.dtype()), op, ": needs a floating or complex tensor: ", x.dtype());
  if (!dtype) return x;
  check<DtypeError>(is_differentiable(*dtype) && is_complex(*dtype) == is_complex(x.dtype()), op, ": a ", x.dtype(),
                    " tensor cannot have a norm in ", *dtype);
  check<DtypeError>(promote_types(x.dtype(), *dtype) == *dtype, op, ": ", *dtype, " is narrower than ", x.dtype());
  return to(x, *dtype);
}

}  // namespace

Tensor vector_norm(const Tensor& x, double p, const std::vector<int64_t>& dims, bool keepdim,
                   std::optional<Dtype> dtype) {
  const Tensor y = typed("vector_norm", x, dtype);
  if (p < 0 || std::isinf(p)) {
    bool nothing = dims.empty() && y.numel() == 0;
    for (int64_t d : dims) nothing = nothing || (y.dim() && y.size(d) == 0);
    check<ShapeError>(!nothing, "vector_norm: order ", p, " needs elements to choose from: ", x.shape());
  }
  return norm(y, p, dims, keepdim);
}

namespace {

Tensor extreme(const Tensor& x, bool largest) { return largest ? amax(x, {-1}) : amin(x, {-1}); }

/// Over the last two dimensions.
Tensor norm_of_matrices(const Tensor& x, const NormOrder& order) {
  if (order.name == "fro") return norm(x, 2, {-2, -1});
  if (order.name == "nuc") return sum(svdvals(x), {-1});
  const double p = std::abs(order.p);
  check<ValueError>(order.name.empty() && (p == 1 || p == 2 || std::isinf(p)),
                    "matrix_norm: order must be fro, nuc, 1, -1, 2, -2, inf or -inf: ",
                    order.name.empty() ? std::to_string(order.p) : order.name);
  const int64_t choices = p == 2 ? std::min(x.size(-1), x.size(-2)) : x.size(p == 1 ? -1 : -2);
  check<IndexError>(choices > 0 || order.p > 0, "matrix_norm: order ", order.p,
                    " needs elements to choose from: ", x.shape());
  if (choices == 0) return mul(sum(abs(x), {-2, -1}), 0.0);
  if (p == 2) return extreme(svdvals(x), order.p > 0);
  return extreme(sum(abs(x), {p == 1 ? -2 : -1}), order.p > 0);
}

}  // namespace

Tensor matrix_norm(const Tensor& x, const NormOrder& order, const std::array<int64_t, 2>& dims, bool keepdim,
                   std::optional<Dtype> dtype) {
  check<ShapeError>(x.dim() >= 2, "matrix_norm: needs at least two dimensions: ", x.shape());
  const int row = wrap_dim("matrix_norm", dims[0], x.dim()), column = wrap_dim("matrix_norm", dims[1], x.dim());
  check<ValueError>(row != column, "matrix_norm: the two dimensions are the same: ", dims[0], " and ", dims[1]);
  const Tensor y = typed("matrix_norm", x, dtype);
  Shape moved;
  for (int d = 0; d < x.dim(); ++d)
    if (d != row && d != column) moved.push_back(d);
  moved.push_back(row);
  moved.push_back(column);
  const Tensor value = norm_of_matrices(permute(y, moved), order);
  return keepdim ? unsqueeze(unsqueeze(value, std::min(row, column)), std::max(row, column)) : value;
}

Tensor linalg_norm(const Tensor& x, const std::optional<NormOrder>& order,
                   const std::optional<std::vector<int64_t>>& dims, bool keepdim, std::optional<Dtype> dtype) {
  if (!order) return vector_norm(x, 2, dims.value_or(std::vector<int64_t>{}), keepdim, dtype);
  if (dims)
    check<ShapeError>(dims->size() == 1 || dims->size() == 2,
                      "norm: needs one or two dimensions with an order: ", dims->size());
  else
    check<ShapeError>(x.dim() == 1 || x.dim() == 2,
                      "norm: with an order and no dim, x must be a vector or a matrix: ", x.shape());
  const std::vector<int64_t> over = dims ? *dims : x.dim() == 1 ? std::vector<int64_t>{0} : std::vector<int64_t>{0, 1};
  if (over.size() == 2) return matrix_norm(x, *order, {over[0], over[1]}, keepdim, dtype);
  check<ValueError>(order->name.empty(), "norm: order ", order->name, " is for matrices only: ", x.shape());
  return vector_norm(x, order->p, over, keepdim, dtype);
}

Tensor cond(const Tensor& a, const std::optional<NormOrder>& order) {
  check_matrix("cond", a);
  const double p = order && order->name.empty() ? order->p : 0;
  if (!order || std::abs(p) == 2) {
    if (a.numel() == 0) return zeros(batch_of(a), real_type(a.dtype()), a.device());
    const Tensor s = svdvals(a), largest = select(s, -1, 0), smallest = select(s, -1, s.size(-1) - 1);
    return p < 0 ? div(smallest, largest) : div(largest, smallest);
  }
  check_square("cond", a);
  if (a.numel() == 0) return zeros(batch_of(a), real_type(a.dtype()), a.device());
  const auto measure = [&](const Tensor& x) { return matrix_norm(x, *order, {-2, -1}); };
  const SolveInfo inverse = inv_ex(a);
  const Tensor value = mul(measure(a), measure(inverse.result));
  return where(ne(inverse.info, 0), std::numeric_limits<double>::infinity(), value);
}

}  // namespace hearth
