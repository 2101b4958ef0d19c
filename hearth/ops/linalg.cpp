// Products and small matrix functions that need no decomposition.
#include "hearth/ops/linalg.h"

#include <cmath>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/sort.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

void check_ranks(const char* op, const Tensor& a, int rank_a, const Tensor& b, int rank_b) {
  check<ShapeError>(a.dim() == rank_a && b.dim() == rank_b, op, ": needs ", rank_a, " and ", rank_b,
                    " dimensions: ", a.shape(), " x ", b.shape());
}

/// beta * x + alpha * product, x broadcast to the product.
Tensor added(const char* op, const Tensor& x, const Tensor& product, const Scalar& beta, const Scalar& alpha) {
  check<DtypeError>(x.dtype() == product.dtype(), op, ": dtypes differ: ", x.dtype(), " and ", product.dtype());
  check<ShapeError>(broadcast_shapes(op, x.shape(), product.shape()) == product.shape(), op, ": ", x.shape(),
                    " cannot be broadcast to ", product.shape());
  const bool whole = is_integral(x.dtype());
  const auto scaled = [whole](const Tensor& t, const Scalar& by) {
    return by.to_complex() == 1.0 ? t : mul(t, whole ? Scalar(by.to_int64()) : by);
  };
  const Tensor y = scaled(product, alpha);
  return beta.to_complex() == 0.0 ? y : add(y, scaled(x, beta));
}

Tensor equals(const Tensor& x, double value) {
  const Tensor mask = Tensor::empty(x.shape(), Dtype::boolean, x.device());
  kernels::compare(x.device(), kernels::CompareOp::eq, mask, x.detach(),
                   expand(scalar_tensor(value, x.dtype()), x.shape()));
  return mask;
}

/// x to the power, with value and gradient 0 at 0.
Tensor root(const Tensor& x, double power) {
  const Tensor zero = equals(x, 0), safe = masked_fill(x, zero, 1);
  return masked_fill(power == 0.5 ? sqrt(safe) : pow(safe, power), zero, 0);
}

/// |x|, with gradient 0 at 0.
Tensor magnitude(const Tensor& x) { return add(relu(x), relu(neg(x))); }

}  // namespace

Tensor dot(const Tensor& a, const Tensor& b) {
  check_ranks("dot", a, 1, b, 1);
  return matmul(a, b);
}
Tensor mv(const Tensor& a, const Tensor& b) {
  check_ranks("mv", a, 2, b, 1);
  return matmul(a, b);
}
Tensor mm(const Tensor& a, const Tensor& b) {
  check_ranks("mm", a, 2, b, 2);
  return matmul(a, b);
}
Tensor bmm(const Tensor& a, const Tensor& b) {
  check_ranks("bmm", a, 3, b, 3);
  check<ShapeError>(a.size(0) == b.size(0), "bmm: batch sizes differ: ", a.shape(), " x ", b.shape());
  return matmul(a, b);
}
Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  return added("addmv", x, mv(a, b), beta, alpha);
}
Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  return added("addmm", x, mm(a, b), beta, alpha);
}
Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  return added("baddbmm", x, bmm(a, b), beta, alpha);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  check_ranks("outer", a, 1, b, 1);
  return mul(unsqueeze(a, 1), unsqueeze(b, 0));
}

namespace {

/// x as a matrix with the dimensions `dims` on one side; the others' sizes are appended to `kept`.
Tensor as_matrix(const Tensor& x, const std::vector<int64_t>& dims, bool contracted_first, Shape& kept) {
  Shape free, order;
  int64_t k = 1;
  for (int d = 0; d < x.dim(); ++d) {
    bool named = false;
    for (int64_t c : dims) named = named || wrap_dim("tensordot", c, x.dim()) == d;
    if (named) continue;
    free.push_back(d);
    kept.push_back(x.shape()[d]);
  }
  for (int64_t c : dims) k *= x.size(c);
  if (!contracted_first) order = free;
  for (int64_t c : dims) order.push_back(wrap_dim("tensordot", c, x.dim()));
  if (contracted_first)
    for (int64_t d : free) order.push_back(d);
  int64_t rest = 1;
  for (int64_t d : free) rest *= x.shape()[int(d)];
  return reshape(permute(x, order), contracted_first ? Shape{k, rest} : Shape{rest, k});
}

}  // namespace

Tensor tensordot(const Tensor& a, const Tensor& b, const std::vector<int64_t>& dims_a,
                 const std::vector<int64_t>& dims_b) {
  check<ShapeError>(dims_a.size() == dims_b.size(), "tensordot: numbers of dimensions differ: ", dims_a.size(), " and ",
                    dims_b.size());
  for (size_t i = 0; i < dims_a.size(); ++i)
    check<ShapeError>(a.size(dims_a[i]) == b.size(dims_b[i]), "tensordot: sizes differ: dimension ", dims_a[i], " of ",
                      a.shape(), " and ", dims_b[i], " of ", b.shape());
  Shape shape;
  const Tensor left = as_matrix(a, dims_a, false, shape), right = as_matrix(b, dims_b, true, shape);
  return reshape(matmul(left, right), shape);
}

Tensor tensordot(const Tensor& a, const Tensor& b, int64_t dims) {
  check<ShapeError>(dims >= 0 && dims <= a.dim() && dims <= b.dim(), "tensordot: cannot contract ", dims,
                    " dimensions of ", a.shape(), " and ", b.shape());
  std::vector<int64_t> of_a, of_b;
  for (int64_t i = 0; i < dims; ++i) {
    of_a.push_back(a.dim() - dims + i);
    of_b.push_back(i);
  }
  return tensordot(a, b, of_a, of_b);
}

Tensor trace(const Tensor& x) {
  check<ShapeError>(x.dim() == 2, "trace: needs a matrix: ", x.shape());
  return sum(diagonal(x));
}

Tensor diag(const Tensor& x, int64_t offset) {
  check<ShapeError>(x.dim() == 1 || x.dim() == 2, "diag: needs one or two dimensions: ", x.shape());
  return x.dim() == 1 ? diag_embed(x, offset) : clone(diagonal(x, offset));
}

Tensor diag_embed(const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
  check<ShapeError>(x.dim() >= 1, "diag_embed: needs at least one dimension");
  const int rank = x.dim() + 1, a = wrap_dim("diag_embed", dim1, rank), b = wrap_dim("diag_embed", dim2, rank);
  check<ValueError>(a != b, "diag_embed: the two dimensions are the same: ", dim1, " and ", dim2);
  constexpr int64_t most = int64_t(1) << 40;
  check<ValueError>(offset > -most && offset < most, "diag_embed: offset is out of range: ", offset);
  const int64_t size = x.size(-1) + std::abs(offset);
  Shape shape = x.shape();
  shape.erase(x.dim() - 1);
  shape.insert(std::min(a, b), size);
  shape.insert(std::max(a, b), size);
  const Tensor y = zeros(shape, x.dtype(), x.device());
  copy_(diagonal(y, offset, a, b), x);
  return y;
}

Tensor kron(const Tensor& a, const Tensor& b) {
  const int rank = std::max(a.dim(), b.dim());
  Shape left, right, shape;
  for (int d = 0; d < rank; ++d) {
    const int of_a = d - (rank - a.dim()), of_b = d - (rank - b.dim());
    const int64_t m = of_a < 0 ? 1 : a.shape()[of_a], n = of_b < 0 ? 1 : b.shape()[of_b];
    left.push_back(m);
    left.push_back(1);
    right.push_back(1);
    right.push_back(n);
    shape.push_back(m * n);
  }
  return reshape(mul(reshape(a, left), reshape(b, right)), shape);
}

Tensor cross(const Tensor& a, const Tensor& b, int64_t dim) {
  const Shape shape = broadcast_shapes("cross", a.shape(), b.shape());
  const int at = wrap_dim("cross", dim, shape.size());
  check<ShapeError>(a.dim() == b.dim() && shape.size() > 0 && a.size(at) == 3 && b.size(at) == 3,
                    "cross: the dimension must have size 3: ", a.shape(), " and ", b.shape(), ", dimension ", dim);
  const Tensor x = expand(a, shape), y = expand(b, shape);
  return sub(mul(roll(x, {-1}, {at}), roll(y, {-2}, {at})), mul(roll(x, {-2}, {at}), roll(y, {-1}, {at})));
}

namespace {

/// |a|^2 + |b|^2 - 2 a b through a matrix product: close rows lose digits.
Tensor distances_by_product(const Tensor& a, const Tensor& b) {
  const Tensor of_a = sum(mul(a, a), {-1}, true), of_b = unsqueeze(sum(mul(b, b), {-1}), -2);
  return root(relu(sub(add(of_a, of_b), mul(matmul(a, transpose(b, -2, -1)), 2))), 0.5);
}

}  // namespace

Tensor cdist(const Tensor& a, const Tensor& b, double p, std::optional<bool> by_product) {
  check<ShapeError>(a.dim() >= 2 && b.dim() >= 2 && a.size(-1) == b.size(-1),
                    "cdist: needs rows of one length: ", a.shape(), " and ", b.shape());
  check<ValueError>(p >= 0, "cdist: p must not be negative: ", p);
  check<DtypeError>(is_floating(a.dtype()) && a.dtype() == b.dtype(), "cdist: needs one floating dtype: ", a.dtype(),
                    " and ", b.dtype());
  if (p == 2 && by_product.value_or(a.size(-2) > 25 || b.size(-2) > 25)) return distances_by_product(a, b);
  const Tensor difference = sub(unsqueeze(a, -2), unsqueeze(b, -3));
  if (p == 0) return sum(sub(ones_like(difference), to(equals(difference, 0), a.dtype())), {-1});
  if (p == 2) return root(sum(mul(difference, difference), {-1}), 0.5);
  if (p == 1) return sum(magnitude(difference), {-1});
  if (std::isinf(p)) return squeeze(topk(magnitude(difference), 1).values, -1);
  return root(sum(root(magnitude(difference), p), {-1}), 1 / p);
}

Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim, double eps) {
  check<DtypeError>(is_floating(a.dtype()) && is_floating(b.dtype()),
                    "cosine_similarity: needs floating tensors: ", a.dtype(), " and ", b.dtype());
  const Shape shape = broadcast_shapes("cosine_similarity", a.shape(), b.shape());
  const Tensor x = expand(a, shape), y = expand(b, shape);
  const auto length = [&](const Tensor& t) {
    const Tensor n = root(sum(mul(t, t), {dim}, true), 0.5);
    return add(relu(sub(n, eps)), eps);
  };
  return sum(mul(div(x, length(x)), div(y, length(y))), {dim});
}

Tensor matrix_norm(const Tensor& x, bool keepdim) {
  check<ShapeError>(x.dim() >= 2, "matrix_norm: needs at least two dimensions: ", x.shape());
  check<DtypeError>(is_differentiable(x.dtype()), "matrix_norm: needs a floating or complex tensor: ", x.dtype());
  if (is_complex(x.dtype())) return matrix_norm(abs(x), keepdim);
  return root(sum(mul(x, x), {-2, -1}, keepdim), 0.5);
}

}  // namespace hearth
