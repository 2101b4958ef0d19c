// Special functions: a kernel and, where there is one, the derivative in terms of the others.
#include "hearth/ops/special.h"

#include <cmath>

#include "hearth/core/dispatch.h"
#include "hearth/ops/broadcast.h"
#include "hearth/ops/elementwise.h"

namespace hearth {

using kernels::SpecialBinaryOp;
using kernels::SpecialOp;

namespace {

constexpr double sqrt_pi = 1.77245385090551602730, sqrt_two_pi = 2.50662827463100050242;

Tensor run(const char* name, SpecialOp op, const Tensor& x) {
  check<DtypeError>(!is_complex(x.dtype()), name, ": not implemented for ", x.dtype());
  NoGrad guard;
  const Tensor input = to(x, float_type(x.dtype())), y = empty_like(input);
  kernels::special(x.device(), op, y, input);
  return y;
}

/// y = op(x) whose gradient is dy * f(x, y).
template <class F>
Tensor function(const char* name, SpecialOp op, const Tensor& x, F f) {
  const Tensor y = run(name, op, x);
  if (!needs_grad(x)) return y;
  return record(name, y, {x}, [x = save(x), y = save_output(y), f](const GradContext& c) -> Grads {
    return {mul(c.dy(), f(x.get(c), y.get(c)))};
  });
}

[[noreturn]] void refuse_gradient(const char* name, const char* of) {
  fail<NotImplementedError>("the derivative for ", name, " with respect to '", of, "' is not implemented");
}

Tensor without_gradient(const char* name, SpecialOp op, const Tensor& x) {
  const Tensor y = run(name, op, x);
  if (!needs_grad(x)) return y;
  return record(name, y, {x}, [name](const GradContext&) -> Grads { refuse_gradient(name, "input"); });
}

Tensor run_binary(const char* name, SpecialBinaryOp op, const Tensor& x, const Tensor& y) {
  const Dtype dtype = float_type(result_type(x, y));
  check<DtypeError>(!is_complex(dtype), name, ": not implemented for ", dtype);
  NoGrad guard;
  const Shape shape = broadcast_shapes(name, x.shape(), y.shape());
  const Tensor z = Tensor::empty(shape, dtype, x.device());
  kernels::special_binary(x.device(), op, z, repeated(name, to(x, dtype), shape), repeated(name, to(y, dtype), shape));
  return z;
}

/// z = op(x, y), differentiable in y only: dy = dz * f(x, y).
template <class F>
Tensor function_of_second(const char* name, SpecialBinaryOp op, const Tensor& x, const Tensor& y, F f) {
  const Tensor z = run_binary(name, op, x, y);
  if (!needs_grad(x, y)) return z;
  return record(name, z, {x, y}, [x = save(x), y = save(y), name, f](const GradContext& c) -> Grads {
    if (c.needs(0)) refuse_gradient(name, "input");
    const Tensor b = y.get(c);
    return {Tensor(), gradient_for(mul(c.dy(), f(x.get(c), b)), b.shape(), b.dtype())};
  });
}

/// f, or its limit at x = 0.
Tensor unless_zero(const Tensor& x, const Tensor& f, double limit) { return where(eq(x.detach(), 0.0), limit, f); }

}  // namespace

Tensor i0(const Tensor& x) {
  return function("i0", SpecialOp::bessel_i0, x, [](const Tensor& v, const Tensor&) { return i1(v); });
}
Tensor i0e(const Tensor& x) {
  return function("i0e", SpecialOp::bessel_i0e, x,
                  [](const Tensor& v, const Tensor& y) { return sub(i1e(v), mul(sign(v), y)); });
}
Tensor i1(const Tensor& x) {
  return function("i1", SpecialOp::bessel_i1, x,
                  [](const Tensor& v, const Tensor& y) { return unless_zero(v, sub(i0(v), div(y, v)), 0.5); });
}
Tensor i1e(const Tensor& x) {
  return function("i1e", SpecialOp::bessel_i1e, x, [](const Tensor& v, const Tensor& y) {
    return unless_zero(v, sub(i0e(v), mul(y, add(sign(v), reciprocal(v)))), 0.5);
  });
}
Tensor bessel_j0(const Tensor& x) {
  return function("special_bessel_j0", SpecialOp::bessel_j0, x,
                  [](const Tensor& v, const Tensor&) { return neg(bessel_j1(v)); });
}
Tensor bessel_j1(const Tensor& x) {
  return function("special_bessel_j1", SpecialOp::bessel_j1, x,
                  [](const Tensor& v, const Tensor& y) { return unless_zero(v, sub(bessel_j0(v), div(y, v)), 0.5); });
}
Tensor bessel_y0(const Tensor& x) {
  return function("special_bessel_y0", SpecialOp::bessel_y0, x,
                  [](const Tensor& v, const Tensor&) { return neg(bessel_y1(v)); });
}
Tensor bessel_y1(const Tensor& x) {
  return function("special_bessel_y1", SpecialOp::bessel_y1, x,
                  [](const Tensor& v, const Tensor& y) { return sub(bessel_y0(v), div(y, v)); });
}
Tensor modified_bessel_k0(const Tensor& x) {
  return function("special_modified_bessel_k0", SpecialOp::bessel_k0, x,
                  [](const Tensor& v, const Tensor&) { return neg(modified_bessel_k1(v)); });
}
Tensor modified_bessel_k1(const Tensor& x) {
  return function("special_modified_bessel_k1", SpecialOp::bessel_k1, x,
                  [](const Tensor& v, const Tensor& y) { return neg(add(modified_bessel_k0(v), div(y, v))); });
}
Tensor scaled_modified_bessel_k0(const Tensor& x) {
  return function("special_scaled_modified_bessel_k0", SpecialOp::bessel_k0e, x,
                  [](const Tensor& v, const Tensor& y) { return sub(y, scaled_modified_bessel_k1(v)); });
}
Tensor scaled_modified_bessel_k1(const Tensor& x) {
  return function("special_scaled_modified_bessel_k1", SpecialOp::bessel_k1e, x, [](const Tensor& v, const Tensor& y) {
    return sub(sub(y, div(y, v)), scaled_modified_bessel_k0(v));
  });
}
Tensor spherical_bessel_j0(const Tensor& x) {
  return without_gradient("special_spherical_bessel_j0", SpecialOp::spherical_j0, x);
}
Tensor airy_ai(const Tensor& x) { return without_gradient("special_airy_ai", SpecialOp::airy_ai, x); }

Tensor erfcx(const Tensor& x) {
  return function("special_erfcx", SpecialOp::erfcx, x,
                  [](const Tensor& v, const Tensor& y) { return sub(mul(mul(v, y), 2.0), 2 / sqrt_pi); });
}
Tensor ndtr(const Tensor& x) {
  return function("special_ndtr", SpecialOp::ndtr, x,
                  [](const Tensor& v, const Tensor&) { return mul(exp(mul(square(v), -0.5)), 1 / sqrt_two_pi); });
}
Tensor log_ndtr(const Tensor& x) {
  return function("special_log_ndtr", SpecialOp::log_ndtr, x, [](const Tensor& v, const Tensor& y) {
    // The density over the distribution function, both in logarithms.
    return mul(exp(sub(mul(square(v), -0.5), y)), 1 / sqrt_two_pi);
  });
}
Tensor ndtri(const Tensor& x) {
  return function("special_ndtri", SpecialOp::ndtri, x,
                  [](const Tensor&, const Tensor& y) { return mul(exp(mul(square(y), 0.5)), sqrt_two_pi); });
}

Tensor polygamma(int64_t n, const Tensor& x) {
  check<ValueError>(n >= 0, "polygamma(n, x) does not support negative n: ", n);
  if (n == 0) return digamma(x);
  Tensor y;
  {
    NoGrad guard;
    const Tensor input = to(x, float_type(x.dtype()));
    const Tensor order = scalar_tensor(double(n), Dtype::float64);
    y = n == 1 ? trigamma(input) : run_binary("polygamma", SpecialBinaryOp::polygamma, to(order, input.dtype()), input);
  }
  if (!needs_grad(x)) return y;
  return record("polygamma", y, {x},
                [x = save(x), n](const GradContext& c) -> Grads { return {mul(c.dy(), polygamma(n + 1, x.get(c)))}; });
}

Tensor igamma(const Tensor& a, const Tensor& x) {
  return function_of_second("igamma", SpecialBinaryOp::igamma, a, x, [](const Tensor& v, const Tensor& b) {
    return exp(sub(mul(sub(v, 1.0), log(b)), add(b, lgamma(v))));
  });
}
Tensor igammac(const Tensor& a, const Tensor& x) {
  return function_of_second("igammac", SpecialBinaryOp::igammac, a, x, [](const Tensor& v, const Tensor& b) {
    return neg(exp(sub(mul(sub(v, 1.0), log(b)), add(b, lgamma(v)))));
  });
}
Tensor zeta(const Tensor& x, const Tensor& q) {
  return function_of_second("special_zeta", SpecialBinaryOp::zeta, x, q,
                            [](const Tensor& v, const Tensor& b) { return neg(mul(v, zeta(add(v, 1.0), b))); });
}

Tensor polynomial(SpecialBinaryOp family, const Tensor& x, const Tensor& n) {
  const Tensor z = run_binary("polynomial", family, x, n);
  if (!needs_grad(x, n)) return z;
  return record("polynomial", z, {x, n}, [](const GradContext&) -> Grads { refuse_gradient("polynomial", "x"); });
}

Tensor nextafter(const Tensor& x, const Tensor& y) {
  const Dtype dtype = result_type(x, y);
  check<DtypeError>(is_floating(dtype), "nextafter: not implemented for ", dtype);
  NoGrad guard;
  const Shape shape = broadcast_shapes("nextafter", x.shape(), y.shape());
  const Tensor z = Tensor::empty(shape, dtype, x.device());
  kernels::next_after(x.device(), z, repeated("nextafter", to(x, dtype), shape),
                      repeated("nextafter", to(y, dtype), shape));
  return z;
}

namespace {

Tensor of_integers(const char* name, kernels::DivisorOp op, const Tensor& x, const Tensor& y) {
  const Dtype dtype = result_type(x, y);
  check<DtypeError>(is_integral(dtype), name, ": not implemented for ", dtype);
  const Shape shape = broadcast_shapes(name, x.shape(), y.shape());
  const Tensor z = Tensor::empty(shape, dtype, x.device());
  kernels::divisor(x.device(), op, z, repeated(name, to(x, dtype), shape), repeated(name, to(y, dtype), shape));
  return z;
}

}  // namespace

Tensor gcd(const Tensor& x, const Tensor& y) { return of_integers("gcd", kernels::DivisorOp::gcd, x, y); }
Tensor lcm(const Tensor& x, const Tensor& y) { return of_integers("lcm", kernels::DivisorOp::lcm, x, y); }

std::pair<Tensor, Tensor> frexp(const Tensor& x) {
  check<DtypeError>(is_floating(x.dtype()), "torch.frexp() only supports floating-point dtypes: ", x.dtype());
  Tensor mantissa, exponent = Tensor::empty(x.shape(), Dtype::int32, x.device());
  {
    NoGrad guard;
    const Tensor wide = contiguous(to(x.detach(), Dtype::float64)), parts = empty_like(wide);
    int* exponents = exponent.data<int>();
    for (int64_t i = 0; i < wide.numel(); ++i)
      parts.data<double>()[i] = std::frexp(wide.data<double>()[i], &(exponents[i] = 0));
    mantissa = to(parts, x.dtype());
  }
  if (!needs_grad(x)) return {mantissa, exponent};
  record("frexp", mantissa, {x},
         [exponent](const GradContext& c) -> Grads { return {mul(c.dy(), exp2(neg(to(exponent, c.dy().dtype()))))}; });
  return {mantissa, exponent};
}

}  // namespace hearth
