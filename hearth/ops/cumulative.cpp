// Running results: gradients are running sums from the other end.
#include "hearth/ops/cumulative.h"

#include <limits>

#include "hearth/backend/kernels/reduce.h"
#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::CumulateOp;

namespace {

/// The kernel along `dim`, without history; `indices` is filled when it is not null.
Tensor cumulated(const char* name, CumulateOp op, const Tensor& x, int64_t dim, Tensor* indices = nullptr) {
  NoGrad guard;
  const int at = wrap_dim(name, dim, x.dim());
  if (x.dim() == 0) {
    if (indices) *indices = zeros({}, Dtype::int64);
    return clone(x);
  }
  const Tensor last = transpose(x.detach(), at, -1);
  const Tensor out = Tensor::empty(last.shape(), x.dtype(), x.device());
  Tensor where;
  if (indices) where = Tensor::empty(last.shape(), Dtype::int64, x.device());
  kernels::cumulate(x.device(), op, out, where, last);
  if (indices) *indices = contiguous(transpose(where, at, -1));
  return at == x.dim() - 1 ? out : contiguous(transpose(out, at, -1)).detach();
}

Tensor reversed(const Tensor& x, int64_t dim) {
  if (x.dim() == 0 || x.size(dim) < 2) return x;
  return index_select(x, dim, arange(x.size(dim) - 1, -1, -1));
}

/// Sums from each element to the end.
Tensor sum_from_here(const Tensor& x, int64_t dim) { return reversed(cumsum(reversed(x, dim), dim), dim); }

Tensor widened(const Tensor& x) { return is_differentiable(x.dtype()) ? x : to(x, Dtype::int64); }

ValueIndex running_extreme(const char* name, CumulateOp op, const Tensor& x, int64_t dim) {
  check<DtypeError>(!is_complex(x.dtype()), name, ": complex numbers have no order: ", x.dtype());
  Tensor indices;
  const Tensor values = cumulated(name, op, x, dim, &indices);
  if (!needs_grad(x)) return {values, indices};
  return {x.dim() == 0 ? clone(x) : gather(x, dim, indices), indices};
}

}  // namespace

Tensor cumsum(const Tensor& x, int64_t dim) {
  const Tensor y = cumulated("cumsum", CumulateOp::sum, widened(x), dim);
  if (!needs_grad(x)) return y;
  return record("cumsum", y, {x}, [dim](const GradContext& c) -> Grads { return {sum_from_here(c.dy(), dim)}; });
}

Tensor cumprod(const Tensor& x, int64_t dim) {
  const Tensor y = cumulated("cumprod", CumulateOp::prod, widened(x), dim);
  if (!needs_grad(x)) return y;
  return record("cumprod", y, {x}, [x = save(x), y = save_output(y), dim](const GradContext& c) -> Grads {
    // For complex numbers the conjugate of the real formula, as in broadcast.h.
    const Tensor v = x.get(c), dy = conj(c.dy()), zero = eq(v, 0.0);
    const Tensor plain = div(sum_from_here(mul(dy, y.get(c)), dim), v);
    if (any(zero).item() == 0) return {conj(plain)};
    // Up to the first zero the quotient holds; at it, the products without it count; behind it all products are 0.
    const Tensor zeros_so_far = cumsum(zero, dim);
    const Tensor first = logical_and(zero, eq(zeros_so_far, 1));
    const Tensor without = cumprod(where(first, 1.0, v), dim);
    const Tensor at_first = where(first, sum_from_here(mul(dy, without), dim), zeros_like(v));
    return {conj(where(eq(zeros_so_far, 0), plain, at_first))};
  });
}

ValueIndex cummax(const Tensor& x, int64_t dim) { return running_extreme("cummax", CumulateOp::max, x, dim); }
ValueIndex cummin(const Tensor& x, int64_t dim) { return running_extreme("cummin", CumulateOp::min, x, dim); }

namespace {

/// For complex numbers, one place after the other, relative to the larger of the sum so far and the next number.
Tensor complex_logcumsumexp(const Tensor& x, int64_t dim) {
  if (x.dim() == 0 || x.numel() == 0) return clone(x);
  TensorList sums{select(x, dim, 0)};
  for (int64_t i = 1; i < x.size(dim); ++i) {
    const Tensor next = select(x, dim, i), so_far = sums.back();
    const Tensor larger = ge(real(so_far).detach(), real(next).detach());
    const Tensor high = where(larger, so_far, next), low = where(larger, next, so_far);
    sums.push_back(add(high, log(add(exp(sub(low, high)), 1.0))));
  }
  return stack(sums, dim);
}

}  // namespace

Tensor logcumsumexp(const Tensor& x, int64_t dim) {
  if (is_complex(x.dtype())) return complex_logcumsumexp(x, wrap_dim("logcumsumexp", dim, x.dim()));
  check<DtypeError>(is_floating(x.dtype()), "logcumsumexp: needs a floating tensor: ", x.dtype());
  const Tensor y = cumulated("logcumsumexp", CumulateOp::logsumexp, x, dim);
  if (!needs_grad(x)) return y;
  return record("logcumsumexp", y, {x}, [x = save(x), y = save_output(y), dim](const GradContext& c) -> Grads {
    // exp(x) * sum of dy exp(-y). Where that is not differentiated again, positive and negative gradients are summed
    // apart as logarithms, which nothing overflows.
    const Tensor v = x.get(c), out = y.get(c), dy = c.dy();
    if (needs_grad(dy, v)) {
      const Tensor top = amax(out.detach(), {dim}, true);
      return {mul(exp(sub(v, top)), sum_from_here(mul(dy, exp(sub(top, out))), dim))};
    }
    const Tensor nothing = full_like(dy, -std::numeric_limits<double>::infinity());
    const auto part = [&](const Tensor& positive, const Tensor& mask) {
      const Tensor logs = where(mask, log(where(mask, positive, 1.0)), nothing);
      return exp(add(reversed(logcumsumexp(reversed(sub(logs, out), dim), dim), dim), v));
    };
    return {sub(part(dy, gt(dy, 0.0)), part(neg(dy), lt(dy, 0.0)))};
  });
}

}  // namespace hearth
