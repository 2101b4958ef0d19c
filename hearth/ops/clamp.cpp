// Larger and smaller of two, bounds, and replacing what is not a finite number.
#include "hearth/ops/clamp.h"

#include <limits>

#include "hearth/ops/broadcast.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"

namespace hearth {

using kernels::BinaryOp;

namespace {

Tensor masked(const Tensor& dy, const Tensor& condition) { return mul(dy, to(condition, dy.dtype())); }

/// z = op(x, y): `wins(a, b)` tells where a takes part in the result; equal elements share the gradient.
template <class F>
Tensor extreme(const char* name, BinaryOp op, const Tensor& x, const Tensor& y, F wins) {
  const Tensor z = call_binary(name, op, x, y, result_type(x, y));
  if (!needs_grad(x, y)) return z;
  return record(name, z, {x, y}, [x = save(x), y = save(y), wins](const GradContext& c) -> Grads {
    const Tensor a = x.get(c), b = y.get(c);
    const Tensor shared = where(eq(a, b), mul(c.dy(), 0.5), c.dy());
    return {c.needs(0) ? gradient_for(masked(shared, wins(a, b)), a.shape(), a.dtype()) : Tensor(),
            c.needs(1) ? gradient_for(masked(shared, wins(b, a)), b.shape(), b.dtype()) : Tensor()};
  });
}

}  // namespace

// Of a NaN and a number neither is smaller, so with `not smaller` both get the gradient, as in PyTorch.
Tensor maximum(const Tensor& x, const Tensor& y) {
  return extreme("maximum", BinaryOp::maximum, x, y,
                 [](const Tensor& a, const Tensor& b) { return logical_not(lt(a, b)); });
}
Tensor minimum(const Tensor& x, const Tensor& y) {
  return extreme("minimum", BinaryOp::minimum, x, y,
                 [](const Tensor& a, const Tensor& b) { return logical_not(gt(a, b)); });
}
Tensor fmax(const Tensor& x, const Tensor& y) {
  return extreme("fmax", BinaryOp::fmax, x, y,
                 [](const Tensor& a, const Tensor& b) { return logical_or(ge(a, b), isnan(b)); });
}
Tensor fmin(const Tensor& x, const Tensor& y) {
  return extreme("fmin", BinaryOp::fmin, x, y,
                 [](const Tensor& a, const Tensor& b) { return logical_or(le(a, b), isnan(b)); });
}

Tensor clamp(const Tensor& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  check<ValueError>(low || high, "clamp: needs a lower or an upper bound");
  Dtype dtype = x.dtype();
  if (low) dtype = promote_types(dtype, result_type(x, *low));
  if (high) dtype = promote_types(dtype, result_type(x, *high));
  const Tensor input = to(x, dtype);
  if (!is_floating(dtype)) {
    Tensor y = input;
    if (low) y = call_binary("clamp", BinaryOp::maximum, y, number_beside(y, *low), dtype);
    if (high) y = call_binary("clamp", BinaryOp::minimum, y, number_beside(y, *high), dtype);
    return y;
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double from = low ? low->to_double() : -infinity, to = high ? high->to_double() : infinity;
  const Tensor y = call_parametric(kernels::ParametricOp::clamp, input, from, to);
  if (!needs_grad(x)) return y;
  return record("clamp", y, {x}, [x = save(x), from, to](const GradContext& c) -> Grads {
    const Tensor v = x.get(c);
    return {masked(c.dy(), logical_and(gt(v, from), lt(v, to)))};
  });
}

Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high) {
  check<ValueError>(low.defined() || high.defined(), "clamp: needs a lower or an upper bound");
  Tensor y = x;
  // A bound gets the gradient only where x is strictly beyond it, so this is not `maximum`, which splits ties.
  if (low.defined()) y = where(logical_or(lt(y, low), isnan(low)), low, y);
  if (high.defined()) y = where(logical_or(gt(y, high), isnan(high)), high, y);
  return y;
}

const Tensor& clamp_(const Tensor& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  return apply_(x, "clamp_", [&](const Tensor& old) {
    const Tensor y = clamp(old, low, high);
    check<DtypeError>(y.dtype() == x.dtype(), "clamp_: result of dtype ", y.dtype(), " cannot be stored in ",
                      x.dtype());
    return y;
  });
}

Tensor nan_to_num(const Tensor& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  if (is_complex(x.dtype())) return view_as_complex(nan_to_num(view_as_real(x), nan, posinf, neginf));
  if (!is_floating(x.dtype())) return x;
  const double largest = x.dtype() == Dtype::float64    ? std::numeric_limits<double>::max()
                         : x.dtype() == Dtype::float16  ? 65504.0
                         : x.dtype() == Dtype::bfloat16 ? 0x1.fep127
                                                        : double(std::numeric_limits<float>::max());
  const Tensor finite = where(isnan(x), nan, x);
  const Tensor lower = where(isposinf(x), posinf.value_or(largest), finite);
  return where(isneginf(x), neginf.value_or(-largest), lower);
}

}  // namespace hearth
