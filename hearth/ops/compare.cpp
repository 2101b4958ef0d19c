// Comparisons and logic.
#include "hearth/ops/compare.h"

#include <cmath>
#include <limits>

#include "hearth/ops/broadcast.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"

namespace hearth {

using kernels::BinaryOp;
using kernels::CompareOp;
using kernels::UnaryOp;

Tensor eq(const Tensor& x, const Tensor& y) { return call_compare("eq", CompareOp::eq, x, y); }
Tensor ne(const Tensor& x, const Tensor& y) { return call_compare("ne", CompareOp::ne, x, y); }
Tensor lt(const Tensor& x, const Tensor& y) { return call_compare("lt", CompareOp::lt, x, y); }
Tensor le(const Tensor& x, const Tensor& y) { return call_compare("le", CompareOp::le, x, y); }
Tensor gt(const Tensor& x, const Tensor& y) { return call_compare("gt", CompareOp::gt, x, y); }
Tensor ge(const Tensor& x, const Tensor& y) { return call_compare("ge", CompareOp::ge, x, y); }
Tensor eq(const Tensor& x, const Scalar& y) { return eq(x, number_beside(x, y)); }
Tensor ne(const Tensor& x, const Scalar& y) { return ne(x, number_beside(x, y)); }
Tensor lt(const Tensor& x, const Scalar& y) { return lt(x, number_beside(x, y)); }
Tensor le(const Tensor& x, const Scalar& y) { return le(x, number_beside(x, y)); }
Tensor gt(const Tensor& x, const Scalar& y) { return gt(x, number_beside(x, y)); }
Tensor ge(const Tensor& x, const Scalar& y) { return ge(x, number_beside(x, y)); }

Tensor isclose(const Tensor& x, const Tensor& y, double rtol, double atol, bool equal_nan) {
  check<DtypeError>(x.dtype() == y.dtype(), "isclose: dtypes differ: ", x.dtype(), " and ", y.dtype());
  check<ValueError>(rtol >= 0 && atol >= 0, "isclose: tolerances must not be negative: ", rtol, ", ", atol);
  NoGrad guard;
  Tensor close = eq(x, y);
  if (equal_nan) close = logical_or(close, logical_and(isnan(x), isnan(y)));
  if (rtol == 0 && atol == 0) return close;
  const Tensor a = is_differentiable(x.dtype()) ? x : to(x, Dtype::float64), b = to(y, a.dtype());
  const Tensor distance = abs(sub(a, b));
  const Tensor near = logical_and(isfinite(distance), le(distance, add(mul(abs(b), rtol), atol)));
  return logical_or(close, near);
}

bool allclose(const Tensor& x, const Tensor& y, double rtol, double atol, bool equal_nan) {
  return all(isclose(x, y, rtol, atol, equal_nan)).item() != 0;
}

bool equal(const Tensor& x, const Tensor& y) { return x.shape() == y.shape() && all(eq(x, y)).item() != 0; }

namespace {

Tensor question(UnaryOp op, const Tensor& x) {
  const Tensor y = Tensor::empty(x.shape(), Dtype::boolean, x.device());
  kernels::unary(x.device(), op, y, x);
  return y;
}

Tensor as_bool(const Tensor& x) {
  NoGrad guard;
  return to(x, Dtype::boolean);
}

}  // namespace

Tensor isnan(const Tensor& x) { return question(UnaryOp::isnan, x); }
Tensor isinf(const Tensor& x) { return question(UnaryOp::isinf, x); }
Tensor isfinite(const Tensor& x) { return question(UnaryOp::isfinite, x); }
Tensor isposinf(const Tensor& x) { return logical_and(isinf(x), gt(x, 0)); }
Tensor isneginf(const Tensor& x) { return logical_and(isinf(x), lt(x, 0)); }
Tensor signbit(const Tensor& x) {
  if (!is_floating(x.dtype())) return lt(x, 0);
  NoGrad guard;
  return lt(copysign(ones_like(x), x), 0);
}

Tensor logical_and(const Tensor& x, const Tensor& y) {
  return call_binary("logical_and", BinaryOp::bitwise_and, as_bool(x), as_bool(y), Dtype::boolean);
}
Tensor logical_or(const Tensor& x, const Tensor& y) {
  return call_binary("logical_or", BinaryOp::bitwise_or, as_bool(x), as_bool(y), Dtype::boolean);
}
Tensor logical_xor(const Tensor& x, const Tensor& y) {
  return call_binary("logical_xor", BinaryOp::bitwise_xor, as_bool(x), as_bool(y), Dtype::boolean);
}
Tensor logical_not(const Tensor& x) { return question(UnaryOp::logical_not, x); }

Tensor where(const Tensor& condition, const Tensor& x, const Tensor& y) {
  check<DtypeError>(condition.dtype() == Dtype::boolean, "where: the condition must be bool: ", condition.dtype());
  const Dtype dtype = result_type(x, y);
  Tensor z;
  {
    NoGrad guard;
    const Tensor a = to(x, dtype), b = to(y, dtype);
    const Shape shape = broadcast_shapes("where", broadcast_shapes("where", a.shape(), b.shape()), condition.shape());
    z = Tensor::empty(shape, dtype, x.device());
    kernels::where(x.device(), z, repeated("where", condition, shape), repeated("where", a, shape),
                   repeated("where", b, shape));
  }
  if (!needs_grad(x, y)) return z;
  return record("where", z, {x, y},
                [condition = save(condition), xs = x.shape(), ys = y.shape(), xd = x.dtype(),
                 yd = y.dtype()](const GradContext& c) -> Grads {
                  const Tensor chosen = condition.get(c), zero = zeros({}, c.dy().dtype());
                  return {c.needs(0) ? gradient_for(where(chosen, c.dy(), zero), xs, xd) : Tensor(),
                          c.needs(1) ? gradient_for(where(chosen, zero, c.dy()), ys, yd) : Tensor()};
                });
}
Tensor where(const Tensor& condition, const Tensor& x, const Scalar& y) {
  return where(condition, x, scalar_tensor(y, result_type(x, y)));
}
Tensor where(const Tensor& condition, const Scalar& x, const Tensor& y) {
  return where(condition, scalar_tensor(x, result_type(y, x)), y);
}

}  // namespace hearth
