// Arithmetic: one formula under each forward.
#include "hearth/ops/elementwise.h"

#include "hearth/ops/broadcast.h"
#include "hearth/ops/inplace.h"

namespace hearth {

using kernels::BinaryOp;

namespace {

/// z = op(x, y) with gradients dx = f(dy, x, y) and dy = g(dy, x, y), of which only the wanted ones are computed.
template <class F, class G>
Tensor differentiable(const char* name, BinaryOp op, const Tensor& x, const Tensor& y, Dtype dtype, F f, G g) {
  const Tensor z = call_binary(name, op, x, y, dtype);
  if (!needs_grad(x, y)) return z;
  return record(name, z, {x, y}, [x = save(x), y = save(y), f, g](const GradContext& c) -> Grads {
    const Tensor a = x.get(c), b = y.get(c);
    const Tensor dz = conj(c.dy());
    return {c.needs(0) ? gradient_for(conj(f(dz, a, b)), a.shape(), a.dtype()) : Tensor(),
            c.needs(1) ? gradient_for(conj(g(dz, a, b)), b.shape(), b.dtype()) : Tensor()};
  });
}

Tensor nothing(const Tensor& dy, const Tensor&, const Tensor&) { return zeros_like(dy); }

/// z = op(x, number) with the gradient dx = f(dy).
template <class F>
Tensor with_number(const char* name, BinaryOp op, const Tensor& x, const Scalar& number, Dtype dtype, F f) {
  const Tensor z = call_binary(name, op, x, number_beside(x, number), dtype);
  if (!needs_grad(x)) return z;
  return record(name, z, {x}, [f](const GradContext& c) -> Grads { return {conj(f(conj(c.dy())))}; });
}

Tensor same(const Tensor& dy) { return dy; }

void check_not_bool(const char* name, Dtype x, Dtype y) {
  check<DtypeError>(x != Dtype::boolean && y != Dtype::boolean, name,
                    ": not defined for bool, use logical_xor or logical_not: ", x, " and ", y);
}

bool is_one(const Scalar& alpha) { return alpha.to_complex() == 1.0; }

}  // namespace

Tensor add(const Tensor& x, const Tensor& y, const Scalar& alpha) { return add(x, is_one(alpha) ? y : mul(y, alpha)); }
Tensor add(const Tensor& x, const Tensor& y) {
  const Tensor z = call_binary("add", BinaryOp::add, x, y, result_type(x, y));
  if (!needs_grad(x, y)) return z;
  return record("add", z, {x, y},
                [xs = x.shape(), ys = y.shape(), xd = x.dtype(), yd = y.dtype()](const GradContext& c) -> Grads {
                  return {c.needs(0) ? gradient_for(c.dy(), xs, xd) : Tensor(),
                          c.needs(1) ? gradient_for(c.dy(), ys, yd) : Tensor()};
                });
}
Tensor add(const Tensor& x, const Scalar& y) {
  return with_number("add", BinaryOp::add, x, y, result_type(x, y), same);
}

Tensor sub(const Tensor& x, const Tensor& y, const Scalar& alpha) { return sub(x, is_one(alpha) ? y : mul(y, alpha)); }
Tensor sub(const Tensor& x, const Tensor& y) {
  const Dtype dtype = result_type(x, y);
  check_not_bool("sub", x.dtype(), y.dtype());
  const Tensor z = call_binary("sub", BinaryOp::sub, x, y, dtype);
  if (!needs_grad(x, y)) return z;
  return record("sub", z, {x, y},
                [xs = x.shape(), ys = y.shape(), xd = x.dtype(), yd = y.dtype()](const GradContext& c) -> Grads {
                  return {c.needs(0) ? gradient_for(c.dy(), xs, xd) : Tensor(),
                          c.needs(1) ? gradient_for(neg(c.dy()), ys, yd) : Tensor()};
                });
}
Tensor sub(const Tensor& x, const Scalar& y) {
  check_not_bool("sub", x.dtype(), y.dtype());
  return with_number("sub", BinaryOp::sub, x, y, result_type(x, y), same);
}
Tensor sub(const Scalar& x, const Tensor& y) {
  const Dtype dtype = result_type(y, x);
  check_not_bool("sub", x.dtype(), y.dtype());
  const Tensor z = call_binary("sub", BinaryOp::sub, number_beside(y, x), y, dtype);
  if (!needs_grad(y)) return z;
  return record("sub", z, {y}, [](const GradContext& c) -> Grads { return {neg(c.dy())}; });
}

Tensor mul(const Tensor& x, const Tensor& y) {
  return differentiable(
      "mul", BinaryOp::mul, x, y, result_type(x, y),
      [](const Tensor& dz, const Tensor&, const Tensor& b) { return mul(dz, b); },
      [](const Tensor& dz, const Tensor& a, const Tensor&) { return mul(dz, a); });
}
Tensor mul(const Tensor& x, const Scalar& y) {
  return with_number("mul", BinaryOp::mul, x, y, result_type(x, y), [y](const Tensor& dz) { return mul(dz, y); });
}

Tensor div(const Tensor& x, const Tensor& y, Rounding rounding) {
  const Dtype common = result_type(x, y);
  check<DtypeError>(rounding == Rounding::none || !is_complex(common),
                    "div: complex quotients cannot be rounded: ", x.dtype(), " and ", y.dtype());
  if (rounding == Rounding::floor) return differentiable("div", BinaryOp::floor_divide, x, y, common, nothing, nothing);
  if (rounding == Rounding::trunc) {
    if (is_floating(common)) return trunc(div(x, y));
    return call_binary("div", BinaryOp::div, x, y, common);
  }
  return differentiable(
      "div", BinaryOp::div, x, y, float_type(common),
      [](const Tensor& dz, const Tensor&, const Tensor& b) { return div(dz, b); },
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return neg(mul(dz, div(div(a, b), b))); });
}
Tensor div(const Tensor& x, const Scalar& y, Rounding rounding) {
  if (rounding != Rounding::none) return div(x, number_beside(x, y), rounding);
  return with_number("div", BinaryOp::div, x, y, float_type(result_type(x, y)),
                     [y](const Tensor& dz) { return div(dz, y); });
}
Tensor div(const Scalar& x, const Tensor& y) { return div(number_beside(y, x), y); }

Tensor floor_divide(const Tensor& x, const Tensor& y) { return div(x, y, Rounding::floor); }
Tensor floor_divide(const Tensor& x, const Scalar& y) { return div(x, y, Rounding::floor); }

Tensor remainder(const Tensor& x, const Tensor& y) {
  return differentiable(
      "remainder", BinaryOp::remainder, x, y, result_type(x, y),
      [](const Tensor& dz, const Tensor&, const Tensor&) { return dz; },
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return neg(mul(dz, floor_divide(a, b))); });
}
Tensor remainder(const Tensor& x, const Scalar& y) { return remainder(x, number_beside(x, y)); }

Tensor fmod(const Tensor& x, const Tensor& y) {
  return differentiable(
      "fmod", BinaryOp::fmod, x, y, result_type(x, y),
      [](const Tensor& dz, const Tensor&, const Tensor&) { return dz; },
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return neg(mul(dz, div(a, b, Rounding::trunc))); });
}
Tensor fmod(const Tensor& x, const Scalar& y) { return fmod(x, number_beside(x, y)); }

Tensor pow(const Tensor& x, const Tensor& y) {
  return differentiable(
      "pow", BinaryOp::pow, x, y, result_type(x, y),
      [](const Tensor& dz, const Tensor& a, const Tensor& b) {
        return where(eq(b, 0), zeros_like(dz), mul(dz, mul(b, pow(a, sub(b, 1)))));
      },
      [](const Tensor& dz, const Tensor& a, const Tensor& b) {
        return where(logical_and(eq(a, 0), ge(real(b), 0)), zeros_like(dz), mul(dz, mul(pow(a, b), log(a))));
      });
}
Tensor pow(const Tensor& x, const Scalar& y) {
  const Dtype dtype = result_type(x, y);
  if (y.is_complex()) return pow(x, number_beside(x, y));
  const double exponent = y.to_double();
  check<ValueError>(is_differentiable(dtype) || exponent >= 0, "pow: integers to a negative power: ", exponent);
  if (dtype == Dtype::boolean) return exponent == 0 ? ones_like(x) : clone(x);
  const bool short_cut = is_differentiable(x.dtype()) && (exponent == 2 || exponent == 0.5);
  const Tensor z = short_cut       ? call_unary(exponent == 2 ? kernels::UnaryOp::square : kernels::UnaryOp::sqrt, x)
                   : exponent == 0 ? full(x.shape(), 1, dtype, x.device())
                                   : call_binary("pow", BinaryOp::pow, x, number_beside(x, y), dtype);
  if (!needs_grad(x)) return z;
  return record("pow", z, {x}, [x = save(x), exponent](const GradContext& c) -> Grads {
    if (exponent == 0) return {zeros_like(c.dy())};
    const Tensor a = x.get(c);
    if (exponent == 1) return {c.dy()};
    return {mul(c.dy(), conj(mul(exponent == 2 ? a : pow(a, exponent - 1), exponent)))};
  });
}
Tensor pow(const Scalar& x, const Tensor& y) { return pow(number_beside(y, x), y); }

Tensor atan2(const Tensor& y, const Tensor& x) {
  return differentiable(
      "atan2", BinaryOp::atan2, y, x, float_type(result_type(y, x)),
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return mul(dz, div(b, add(square(a), square(b)))); },
      [](const Tensor& dz, const Tensor& a, const Tensor& b) {
        return mul(dz, div(neg(a), add(square(a), square(b))));
      });
}

Tensor hypot(const Tensor& x, const Tensor& y) {
  return differentiable(
      "hypot", BinaryOp::hypot, x, y, float_type(result_type(x, y)),
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return mul(dz, div(a, hypot(a, b))); },
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return mul(dz, div(b, hypot(a, b))); });
}

Tensor copysign(const Tensor& x, const Tensor& y) {
  return differentiable(
      "copysign", BinaryOp::copysign, x, y, float_type(result_type(x, y)),
      [](const Tensor& dz, const Tensor& a, const Tensor& b) {
        return where(eq(a, 0), zeros_like(dz), mul(dz, mul(sign(a), copysign(ones_like(b), b))));
      },
      nothing);
}
Tensor copysign(const Tensor& x, const Scalar& y) { return copysign(x, number_beside(x, y)); }

namespace {

/// The larger real part is taken out, so that nothing overflows.
Tensor complex_logaddexp(const Tensor& x, const Tensor& y) {
  const Tensor first = ge(real(x.detach()), real(y.detach()));
  const Tensor large = where(first, x, y), small = where(first, y, x);
  return add(large, log1p(exp(sub(small, large))));
}

}  // namespace

Tensor logaddexp(const Tensor& x, const Tensor& y) {
  if (is_complex(result_type(x, y))) return complex_logaddexp(x, y);
  return differentiable(
      "logaddexp", BinaryOp::logaddexp, x, y, float_type(result_type(x, y)),
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return mul(dz, sigmoid(sub(a, b))); },
      [](const Tensor& dz, const Tensor& a, const Tensor& b) { return mul(dz, sigmoid(sub(b, a))); });
}

Tensor xlogy(const Tensor& x, const Tensor& y) {
  const Tensor product = mul(x, log(y));
  const Tensor vanishes = logical_and(eq(x, 0), logical_not(isnan(y)));
  return where(vanishes, zeros_like(product), product);
}

Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight) {
  // Measured from the nearer end, so that weight 1 gives `end` exactly.
  const Tensor span = sub(end, start);
  const Tensor from_start = add(start, mul(weight, span));
  const Tensor from_end = sub(end, mul(span, sub(1, weight)));
  return where(lt(abs(weight), 0.5), from_start, from_end);
}
Tensor lerp(const Tensor& start, const Tensor& end, double weight) {
  const Tensor span = sub(end, start);
  return weight < 0.5 && weight > -0.5 ? add(start, mul(span, weight)) : sub(end, mul(span, 1 - weight));
}

Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value) {
  return add(x, mul(a, b), value);
}
Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value) {
  return add(x, div(a, b), value);
}

namespace {

Tensor bits(const char* name, BinaryOp op, const Tensor& x, const Tensor& y) {
  const Dtype dtype = result_type(x, y);
  check<DtypeError>(!is_differentiable(dtype), name, ": needs integers or bool: ", x.dtype(), " and ", y.dtype());
  return call_binary(name, op, x, y, dtype);
}

}  // namespace

Tensor bitwise_and(const Tensor& x, const Tensor& y) { return bits("bitwise_and", BinaryOp::bitwise_and, x, y); }
Tensor bitwise_or(const Tensor& x, const Tensor& y) { return bits("bitwise_or", BinaryOp::bitwise_or, x, y); }
Tensor bitwise_xor(const Tensor& x, const Tensor& y) { return bits("bitwise_xor", BinaryOp::bitwise_xor, x, y); }
Tensor bitwise_left_shift(const Tensor& x, const Tensor& y) {
  return bits("bitwise_left_shift", BinaryOp::left_shift, x, y);
}
Tensor bitwise_right_shift(const Tensor& x, const Tensor& y) {
  return bits("bitwise_right_shift", BinaryOp::right_shift, x, y);
}
Tensor bitwise_not(const Tensor& x) {
  check<DtypeError>(!is_differentiable(x.dtype()), "bitwise_not: needs integers or bool: ", x.dtype());
  return call_unary(x.dtype() == Dtype::boolean ? kernels::UnaryOp::logical_not : kernels::UnaryOp::bitwise_not, x);
}

}  // namespace hearth
