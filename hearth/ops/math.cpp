// Functions of one tensor: each line is a kernel and the derivative, in terms of the input or the output.
#include "hearth/ops/math.h"

#include <cmath>

#include "hearth/ops/broadcast.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"

namespace hearth {

using kernels::UnaryOp;

namespace {

constexpr double pi = 3.14159265358979323846, ln2 = 0.69314718055994530942, ln10 = 2.30258509299404568402;

/// A step function: its gradient is zero everywhere.
Tensor step_function(const char* name, UnaryOp op, const Tensor& x) {
  check<DtypeError>(x.dtype() != Dtype::boolean || op == UnaryOp::sign, name, ": not defined for bool");
  check<DtypeError>(!is_complex(x.dtype()), name, ": not defined for complex numbers: ", x.dtype());
  const Tensor y = call_unary(op, x);
  if (!needs_grad(x)) return y;
  return record(name, y, {x}, [](const GradContext& c) -> Grads { return {zeros_like(c.dy())}; });
}

/// |z| of complex numbers, of their real type.
Tensor length(const Tensor& x) {
  const Tensor y = hypot(real(x.detach()), imag(x.detach()));
  if (!needs_grad(x)) return y;
  return record("abs", y, {x}, [x = save(x)](const GradContext& c) -> Grads { return {mul(c.dy(), sgn(x.get(c)))}; });
}

}  // namespace

Tensor neg(const Tensor& x) {
  check<DtypeError>(x.dtype() != Dtype::boolean, "neg: not defined for bool, use logical_not");
  const Tensor y = call_unary(UnaryOp::neg, x);
  if (!needs_grad(x)) return y;
  return record("neg", y, {x}, [](const GradContext& c) -> Grads { return {neg(c.dy())}; });
}

Tensor abs(const Tensor& x) {
  if (is_complex(x.dtype())) return length(x);
  check<DtypeError>(x.dtype() != Dtype::boolean, "abs: not defined for bool");
  const Tensor y = call_unary(UnaryOp::abs, x);
  if (!needs_grad(x)) return y;
  return record("abs", y, {x}, [x = save(x)](const GradContext& c) -> Grads { return {mul(c.dy(), sign(x.get(c)))}; });
}

Tensor sign(const Tensor& x) { return step_function("sign", UnaryOp::sign, x); }
Tensor ceil(const Tensor& x) { return step_function("ceil", UnaryOp::ceil, x); }
Tensor floor(const Tensor& x) { return step_function("floor", UnaryOp::floor, x); }
Tensor trunc(const Tensor& x) { return step_function("trunc", UnaryOp::trunc, x); }

Tensor round(const Tensor& x, int64_t decimals) {
  if (decimals == 0 || !is_floating(x.dtype())) return step_function("round", UnaryOp::round, x);
  const double scale = std::pow(10.0, double(decimals < 0 ? -decimals : decimals));
  return decimals > 0 ? div(round(mul(x, scale)), scale) : mul(round(div(x, scale)), scale);
}

Tensor frac(const Tensor& x) {
  check<DtypeError>(is_floating(x.dtype()), "frac: needs a floating tensor: ", x.dtype());
  const Tensor y = call_unary(UnaryOp::frac, x);
  if (!needs_grad(x)) return y;
  return record("frac", y, {x}, [](const GradContext& c) -> Grads { return {c.dy()}; });
}

Tensor square(const Tensor& x) {
  const Tensor y = call_unary(UnaryOp::square, x.dtype() == Dtype::boolean ? to(x, Dtype::int64) : x);
  if (!needs_grad(x)) return y;
  return record("square", y, {x},
                [x = save(x)](const GradContext& c) -> Grads { return {mul(c.dy(), mul(conj(x.get(c)), 2.0))}; });
}

Tensor sqrt(const Tensor& x) {
  return function_of_output("sqrt", UnaryOp::sqrt, x,
                            [](const Tensor& dy, const Tensor& y) { return div(dy, mul(y, 2.0)); });
}
Tensor rsqrt(const Tensor& x) {
  return function_of_output("rsqrt", UnaryOp::rsqrt, x,
                            [](const Tensor& dy, const Tensor& y) { return mul(dy, mul(mul(square(y), y), -0.5)); });
}
Tensor reciprocal(const Tensor& x) {
  return function_of_output("reciprocal", UnaryOp::reciprocal, x,
                            [](const Tensor& dy, const Tensor& y) { return neg(mul(dy, square(y))); });
}

Tensor exp(const Tensor& x) {
  return function_of_output("exp", UnaryOp::exp, x, [](const Tensor& dy, const Tensor& y) { return mul(dy, y); });
}
Tensor expm1(const Tensor& x) {
  return function_of_output("expm1", UnaryOp::expm1, x,
                            [](const Tensor& dy, const Tensor& y) { return mul(dy, add(y, 1.0)); });
}
Tensor exp2(const Tensor& x) {
  return function_of_output("exp2", UnaryOp::exp2, x,
                            [](const Tensor& dy, const Tensor& y) { return mul(dy, mul(y, ln2)); });
}
Tensor log(const Tensor& x) {
  return function_of_input("log", UnaryOp::log, x, [](const Tensor& dy, const Tensor& v) { return div(dy, v); });
}
Tensor log1p(const Tensor& x) {
  return function_of_input("log1p", UnaryOp::log1p, x,
                           [](const Tensor& dy, const Tensor& v) { return div(dy, add(v, 1.0)); });
}
Tensor log2(const Tensor& x) {
  return function_of_input("log2", UnaryOp::log2, x,
                           [](const Tensor& dy, const Tensor& v) { return div(dy, mul(v, ln2)); });
}
Tensor log10(const Tensor& x) {
  return function_of_input("log10", UnaryOp::log10, x,
                           [](const Tensor& dy, const Tensor& v) { return div(dy, mul(v, ln10)); });
}

Tensor sin(const Tensor& x) {
  return function_of_input("sin", UnaryOp::sin, x, [](const Tensor& dy, const Tensor& v) { return mul(dy, cos(v)); });
}
Tensor cos(const Tensor& x) {
  return function_of_input("cos", UnaryOp::cos, x,
                           [](const Tensor& dy, const Tensor& v) { return neg(mul(dy, sin(v))); });
}
Tensor tan(const Tensor& x) {
  return function_of_output("tan", UnaryOp::tan, x,
                            [](const Tensor& dy, const Tensor& y) { return mul(dy, add(square(y), 1.0)); });
}
Tensor asin(const Tensor& x) {
  return function_of_input("asin", UnaryOp::asin, x,
                           [](const Tensor& dy, const Tensor& v) { return mul(dy, rsqrt(sub(1.0, square(v)))); });
}
Tensor acos(const Tensor& x) {
  return function_of_input("acos", UnaryOp::acos, x,
                           [](const Tensor& dy, const Tensor& v) { return neg(mul(dy, rsqrt(sub(1.0, square(v))))); });
}
Tensor atan(const Tensor& x) {
  return function_of_input("atan", UnaryOp::atan, x,
                           [](const Tensor& dy, const Tensor& v) { return div(dy, add(square(v), 1.0)); });
}
Tensor sinh(const Tensor& x) {
  return function_of_input("sinh", UnaryOp::sinh, x,
                           [](const Tensor& dy, const Tensor& v) { return mul(dy, cosh(v)); });
}
Tensor cosh(const Tensor& x) {
  return function_of_input("cosh", UnaryOp::cosh, x,
                           [](const Tensor& dy, const Tensor& v) { return mul(dy, sinh(v)); });
}
Tensor asinh(const Tensor& x) {
  return function_of_input("asinh", UnaryOp::asinh, x,
                           [](const Tensor& dy, const Tensor& v) { return mul(dy, rsqrt(add(square(v), 1.0))); });
}
Tensor acosh(const Tensor& x) {
  return function_of_input("acosh", UnaryOp::acosh, x, [](const Tensor& dy, const Tensor& v) {
    // One root of the product would be on the wrong branch left of the imaginary axis.
    if (is_complex(v.dtype())) return mul(dy, mul(rsqrt(sub(v, 1.0)), rsqrt(add(v, 1.0))));
    return mul(dy, rsqrt(sub(square(v), 1.0)));
  });
}
Tensor atanh(const Tensor& x) {
  return function_of_input("atanh", UnaryOp::atanh, x,
                           [](const Tensor& dy, const Tensor& v) { return div(dy, sub(1.0, square(v))); });
}

Tensor erf(const Tensor& x) {
  return function_of_input("erf", UnaryOp::erf, x, [](const Tensor& dy, const Tensor& v) {
    return mul(dy, mul(exp(neg(square(v))), 2 / std::sqrt(pi)));
  });
}
Tensor erfc(const Tensor& x) {
  return function_of_input("erfc", UnaryOp::erfc, x, [](const Tensor& dy, const Tensor& v) {
    return mul(dy, mul(exp(neg(square(v))), -2 / std::sqrt(pi)));
  });
}
Tensor erfinv(const Tensor& x) {
  return function_of_output("erfinv", UnaryOp::erfinv, x, [](const Tensor& dy, const Tensor& y) {
    return mul(dy, mul(exp(square(y)), std::sqrt(pi) / 2));
  });
}
Tensor lgamma(const Tensor& x) {
  return function_of_input("lgamma", UnaryOp::lgamma, x,
                           [](const Tensor& dy, const Tensor& v) { return mul(dy, digamma(v)); });
}
Tensor digamma(const Tensor& x) {
  return function_of_input("digamma", UnaryOp::digamma, x,
                           [](const Tensor& dy, const Tensor& v) { return mul(dy, trigamma(v)); });
}
Tensor trigamma(const Tensor& x) {
  return function_of_input("trigamma", UnaryOp::trigamma, x, [](const Tensor& dy, const Tensor&) {
    fail<NotImplementedError>("trigamma: no gradient: third derivatives of lgamma are not there");
    return dy;
  });
}

Tensor logit(const Tensor& x, double eps) {
  if (eps >= 0) return logit(clamp(x, eps, 1 - eps));
  return function_of_input("logit", UnaryOp::logit, x,
                           [](const Tensor& dy, const Tensor& v) { return div(dy, mul(v, sub(1.0, v))); });
}

namespace {

/// x = f(x): straight over x where nothing is recorded.
const Tensor& in_place(const char* name, UnaryOp op, const Tensor& x, Tensor (*ordinary)(const Tensor&)) {
  if (needs_grad(x)) return apply_(x, name, [&](const Tensor& old) { return ordinary(old); });
  check_writable(name, x);
  kernels::unary(x.device(), op, x, x);
  x.bump_version();
  return x;
}

Tensor round_to_whole(const Tensor& x) { return round(x); }

}  // namespace

const Tensor& neg_(const Tensor& x) {
  check<DtypeError>(x.dtype() != Dtype::boolean, "neg_: not defined for bool, use logical_not");
  return in_place("neg_", UnaryOp::neg, x, neg);
}
const Tensor& abs_(const Tensor& x) { return in_place("abs_", UnaryOp::abs, x, abs); }
const Tensor& sqrt_(const Tensor& x) { return in_place("sqrt_", UnaryOp::sqrt, x, sqrt); }
const Tensor& rsqrt_(const Tensor& x) { return in_place("rsqrt_", UnaryOp::rsqrt, x, rsqrt); }
const Tensor& reciprocal_(const Tensor& x) { return in_place("reciprocal_", UnaryOp::reciprocal, x, reciprocal); }
const Tensor& exp_(const Tensor& x) { return in_place("exp_", UnaryOp::exp, x, exp); }
const Tensor& log_(const Tensor& x) { return in_place("log_", UnaryOp::log, x, log); }
const Tensor& tanh_(const Tensor& x) { return in_place("tanh_", UnaryOp::tanh, x, tanh); }
const Tensor& sigmoid_(const Tensor& x) { return in_place("sigmoid_", UnaryOp::sigmoid, x, sigmoid); }
const Tensor& square_(const Tensor& x) { return in_place("square_", UnaryOp::square, x, square); }
const Tensor& floor_(const Tensor& x) { return in_place("floor_", UnaryOp::floor, x, floor); }
const Tensor& ceil_(const Tensor& x) { return in_place("ceil_", UnaryOp::ceil, x, ceil); }
const Tensor& round_(const Tensor& x) { return in_place("round_", UnaryOp::round, x, round_to_whole); }
const Tensor& trunc_(const Tensor& x) { return in_place("trunc_", UnaryOp::trunc, x, trunc); }
const Tensor& erfinv_(const Tensor& x) { return in_place("erfinv_", UnaryOp::erfinv, x, erfinv); }

}  // namespace hearth
