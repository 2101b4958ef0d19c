// Functions of matrices: powers, exponential, square root, polar decomposition, products of several.
#include "hearth/ops/matrix_function.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "hearth/ops/compare.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/cumulative.h"
#include "hearth/ops/eig.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/svd.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// exp(A) for |A|_1 up to 5.4 (float32 too): the [13/13] Pade approximant (Higham 2005, "The scaling and squaring
/// method for the matrix exponential revisited", (10.33)). A: [..., n, n].
Tensor pade_exp(const Tensor& a) {
  static constexpr std::array<double, 14> b = {64764752532480000.,
                                               32382376266240000.,
                                               7771770303897600.,
                                               1187353796428800.,
                                               129060195264000.,
                                               10559470521600.,
                                               670442572800.,
                                               33522128640.,
                                               1323241920.,
                                               40840800.,
                                               960960.,
                                               16380.,
                                               182.,
                                               1.};
  // Divided by b_0, so that float32 does not overflow.
  const auto c = [](int i) { return b[size_t(i)] / b[0]; };
  const Tensor one = eye(a.size(-1), a.size(-1), a.dtype());
  const Tensor a2 = matmul(a, a), a4 = matmul(a2, a2), a6 = matmul(a4, a2);
  const auto sum_of = [&](int i6, int i4, int i2) { return add(add(mul(a6, c(i6)), mul(a4, c(i4))), mul(a2, c(i2))); };
  const Tensor odd = matmul(a, add(add(matmul(a6, sum_of(13, 11, 9)), sum_of(7, 5, 3)), mul(one, c(1))));
  const Tensor even = add(add(matmul(a6, sum_of(12, 10, 8)), sum_of(6, 4, 2)), one);
  return solve_ex(sub(even, odd), add(even, odd)).result;
}

/// Each matrix is scaled and squared as its own norm demands, so that neighbours do not change it.
Tensor exp_without_history(const Tensor& a) {
  NoGrad guard;
  const int64_t n = a.size(-1);
  if (a.numel() == 0) return clone(a);
  const Tensor x = reshape(a.detach(), {batch_of(a).numel(), n, n});
  const Tensor norms = to(amax(sum(abs(x), {-2}), {-1}), Dtype::float64);
  const std::vector<double> sizes = to_vector<double>(norms);
  std::vector<double> scales;
  std::vector<int64_t> squarings;
  for (double size : sizes) {
    const double wanted = std::isfinite(size) && size > 2 ? std::ceil(std::log2(size / 2)) : 0;
    squarings.push_back(std::min<int64_t>(int64_t(wanted), 1100));
    scales.push_back(std::ldexp(1.0, -int(squarings.back())));
  }
  const int64_t count = x.size(0);
  const auto column = [&](const auto& values, Dtype dtype) {
    return to(reshape(from_values<std::decay_t<decltype(values[0])>>(std::span(values), {count}), {count, 1, 1}),
              dtype);
  };
  Tensor y = pade_exp(mul(x, column(scales, real_type(a.dtype()))));
  const Tensor wanted = column(squarings, Dtype::int64);
  const int64_t most = *std::max_element(squarings.begin(), squarings.end());
  for (int64_t i = 0; i < most; ++i) y = where(gt(wanted, i), matmul(y, y), y);
  return reshape(y, a.shape());
}

}  // namespace

Tensor matrix_exp(const Tensor& a) {
  if (a.dtype() == Dtype::float16 || a.dtype() == Dtype::bfloat16)
    return to(matrix_exp(to(a, Dtype::float32)), a.dtype());
  check_square("matrix_exp", a);
  const Tensor y = exp_without_history(a);
  if (!needs_grad(a)) return y;
  return record("matrix_exp", y, {a}, [a = save(a)](const GradContext& c) -> Grads {
    // exp of [[A^H, G], [0, A^H]] holds the derivative of exp at A^H in direction G (Mathias 1996).
    const Tensor x = mH(a.get(c));
    const int64_t n = x.size(-1);
    const Tensor above = cat({x, c.dy()}, -1), below = cat({zeros_like(x), x}, -1);
    return {narrow(narrow(matrix_exp(cat({above, below}, -2)), -2, 0, n), -1, n, n)};
  });
}

Tensor matrix_power(const Tensor& a, int64_t n) {
  check<ShapeError>(a.dim() >= 2 && a.size(-1) == a.size(-2), "matrix_power: needs square matrices: ", a.shape());
  check<ValueError>(n > std::numeric_limits<int64_t>::min(), "matrix_power: the power is too large: ", n);
  if (n == 0) {
    const Tensor one = clone(identity_like(a, batch_of(a), a.size(-1)));
    if (!needs_grad(a)) return one;
    return record("matrix_power", one, {a}, [](const GradContext& c) -> Grads { return {zeros_like(c.dy())}; });
  }
  Tensor square = n < 0 ? inv(a) : a, y;
  for (uint64_t left = uint64_t(n < 0 ? -n : n);;) {
    if (left & 1) y = y.defined() ? matmul(y, square) : square;
    left >>= 1;
    if (left == 0) break;
    square = matmul(square, square);
  }
  return n == 1 ? clone(y) : y;
}

namespace {

/// The solution X of P X + X P = G for Hermitian P = V diag(w) V^H.
Tensor sylvester(const Tensor& v, const Tensor& w, const Tensor& g) {
  const Tensor sums = add(unsqueeze(w, -1), unsqueeze(w, -2));
  return matmul(v, matmul(div(matmul(mH(v), matmul(g, v)), sums), mH(v)));
}

}  // namespace

Tensor matrix_sqrth(const Tensor& a) {
  check_square("matrix_sqrth", a);
  Eigen f;
  Tensor roots, x;
  {
    NoGrad guard;
    f = eigh(a);
    roots = sqrt(f.values);
    x = matmul(scale_columns(f.vectors, roots), mH(f.vectors));
  }
  if (!needs_grad(a)) return x;
  // dX X + X dX = dA is self-adjoint; through X itself, so that second derivatives see it.
  return record("matrix_sqrth", x, {a}, [x = save_output(x)](const GradContext& c) -> Grads {
    const Eigen of_root = eigh(x.get(c));
    return {sylvester(of_root.vectors, of_root.values, mul(add(c.dy(), mH(c.dy())), 0.5))};
  });
}

Polar polar_decomposition(const Tensor& a) {
  check_matrix("polar", a);
  check<ShapeError>(a.size(-2) >= a.size(-1), "polar: needs at least as many rows as columns: ", a.shape());
  Polar y;
  {
    NoGrad guard;
    const Svd f = svd(a, false);
    y.u = matmul(f.u, f.vh);
    y.h = matmul(scale_columns(mH(f.vh), f.s), f.vh);
  }
  if (!needs_grad(a)) return y;
  record_many("polar", {y.u, y.h}, {a},
              [u = save_output(y.u, 0), h = save_output(y.h, 1)](const GradContext& c) -> Grads {
                // With dA = dU H + U dH and W = U^H dU skew: W H + H W = U^H dA - dA^H U.
                const Tensor of_u = u.get(c), of_h = h.get(c);
                const Eigen f = eigh(of_h);
                Tensor g = zeros_like(of_u);
                Tensor inner;
                if (c.dys[0].defined()) {
                  const Tensor turned = matmul(mH(of_u), c.dys[0]);
                  const Tensor outside = sub(c.dys[0], matmul(of_u, turned));
                  g = mT(solve(mT(of_h), mT(outside)));
                  inner = turned;
                }
                if (c.dys[1].defined()) {
                  // H = U^H A with dH = U^H dA - W H.
                  g = add(g, matmul(of_u, c.dys[1]));
                  const Tensor part = neg(matmul(c.dys[1], of_h));
                  inner = inner.defined() ? add(inner, part) : part;
                }
                if (!inner.defined()) return {g};
                const Tensor solved = sylvester(f.vectors, f.values, sub(inner, mH(inner)));
                return {add(g, matmul(of_u, solved))};
              });
  return y;
}

namespace {

/// Where to cut the product of matrices i to j, for all pairs: the textbook's order of matrix multiplication.
std::vector<std::vector<size_t>> cheapest_cuts(const std::vector<double>& sizes) {
  const size_t n = sizes.size() - 1;
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<size_t>> cut(n, std::vector<size_t>(n, 0));
  for (size_t length = 1; length < n; ++length)
    for (size_t i = 0; i + length < n; ++i) {
      const size_t j = i + length;
      cost[i][j] = std::numeric_limits<double>::infinity();
      for (size_t k = i; k < j; ++k) {
        const double here = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1];
        if (here < cost[i][j]) {
          cost[i][j] = here;
          cut[i][j] = k;
        }
      }
    }
  return cut;
}

}  // namespace

Tensor multi_dot(const TensorList& xs) {
  check<ValueError>(xs.size() >= 2, "multi_dot: needs at least two tensors: ", xs.size());
  TensorList m = xs;
  const bool row = xs.front().dim() == 1, column = xs.back().dim() == 1;
  if (row) m.front() = unsqueeze(m.front(), 0);
  if (column) m.back() = unsqueeze(m.back(), 1);
  std::vector<double> sizes;
  for (size_t i = 0; i < m.size(); ++i) {
    check<ShapeError>(m[i].dim() == 2, "multi_dot: tensor ", i, " has ", xs[i].dim(), " dimensions");
    check_same_dtype("multi_dot", m[0], m[i]);
    check<ShapeError>(i == 0 || m[i - 1].size(1) == m[i].size(0),
                      "multi_dot: sizes do not fit: ", i ? xs[i - 1].shape() : Shape(), " x ", xs[i].shape());
    sizes.push_back(double(m[i].size(0)));
  }
  sizes.push_back(double(m.back().size(1)));
  const auto cut = cheapest_cuts(sizes);
  const std::function<Tensor(size_t, size_t)> product = [&](size_t i, size_t j) -> Tensor {
    return i == j ? m[i] : matmul(product(i, cut[i][j]), product(cut[i][j] + 1, j));
  };
  Tensor y = product(0, m.size() - 1);
  if (row) y = squeeze(y, 0);
  return column ? squeeze(y, -1) : y;
}

Tensor vander(const Tensor& x, int64_t n) {
  if (x.dim() == 0) return vander(unsqueeze(x, 0), n);
  const int64_t count = n >= 0 ? n : x.size(-1);
  check<ValueError>(n < 0 || n > 1, "vander: needs at least two powers: ", n);
  if (count == 0) return Tensor::empty(with_tail(x.shape(), {0}), x.dtype(), x.device());
  const Tensor powers = cumprod(expand(unsqueeze(x, -1), with_tail(x.shape(), {count - 1})), -1);
  return cat({ones(with_tail(x.shape(), {1}), powers.dtype(), x.device()), powers}, -1);
}

Tensor vecdot(const Tensor& x, const Tensor& y, int64_t dim) {
  check_same_dtype("vecdot", x, y);
  check<ShapeError>(x.dim() >= 1 && y.dim() >= 1, "vecdot: needs at least one dimension: ", x.shape(), " and ",
                    y.shape());
  const Shape shape = broadcast_shapes("vecdot", x.shape(), y.shape());
  const int d = wrap_dim("vecdot", dim, shape.size());
  return to(sum(mul(conjugate(x), y), {d}), x.dtype());
}

}  // namespace hearth
