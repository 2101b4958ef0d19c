// Activation functions: the gradient is one fused kernel, or ops where the gradient itself is differentiated.
#include "hearth/ops/activation.h"

#include <cmath>

#include "hearth/ops/broadcast.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::BinaryOp;
using kernels::ParametricOp;
using kernels::UnaryOp;

namespace {

/// dy and a saved tensor through a fused kernel, or through ops when that must be differentiable.
template <class F>
Tensor fused_unless_recorded(BinaryOp op, const Tensor& dy, const Tensor& v, F composed) {
  return needs_grad(dy, v) || is_complex(v.dtype()) ? composed() : call_binary("activation", op, dy, v, dy.dtype());
}

/// dy where the condition holds, else 0.
Tensor masked(const Tensor& dy, const Tensor& condition) { return mul(dy, to(condition, dy.dtype())); }

Tensor floating(const Tensor& x) { return to(x, float_type(x.dtype())); }

/// y = op(x; a, b, c) whose gradient is f(dy, x).
template <class F>
Tensor parametric(const char* name, ParametricOp op, const Tensor& x, double a, double b, double c, F f) {
  const Tensor y = call_parametric(op, floating(x), a, b, c);
  if (!needs_grad(x)) return y;
  return record(name, y, {x}, [x = save(x), f](const GradContext& c) -> Grads { return {f(c.dy(), x.get(c))}; });
}

}  // namespace

Tensor tanh(const Tensor& x) {
  return function_of_output("tanh", UnaryOp::tanh, x, [](const Tensor& dy, const Tensor& y) {
    return fused_unless_recorded(BinaryOp::tanh_backward, dy, y, [&] { return mul(dy, sub(1.0, square(y))); });
  });
}

Tensor sigmoid(const Tensor& x) {
  return function_of_output("sigmoid", UnaryOp::sigmoid, x, [](const Tensor& dy, const Tensor& y) {
    return fused_unless_recorded(BinaryOp::sigmoid_backward, dy, y, [&] { return mul(dy, mul(sub(1.0, y), y)); });
  });
}

Tensor relu(const Tensor& x) {
  check<DtypeError>(x.dtype() != Dtype::boolean, "relu: not defined for bool");
  const Tensor y = call_unary(UnaryOp::relu, x);
  if (!needs_grad(x)) return y;
  return record("relu", y, {x}, [y = save_output(y)](const GradContext& c) -> Grads {
    const Tensor v = y.get(c);
    return {fused_unless_recorded(BinaryOp::relu_backward, c.dy(), v, [&] { return masked(c.dy(), gt(v, 0.0)); })};
  });
}

Tensor silu(const Tensor& x) {
  return function_of_input("silu", UnaryOp::silu, x, [](const Tensor& dy, const Tensor& v) {
    return fused_unless_recorded(BinaryOp::silu_backward, dy, v, [&] {
      const Tensor s = sigmoid(v);
      return mul(dy, mul(s, add(mul(v, sub(1.0, s)), 1.0)));
    });
  });
}

Tensor gelu(const Tensor& x, Gelu approximate) {
  if (approximate == Gelu::none)
    return function_of_input("gelu", UnaryOp::gelu, x, [](const Tensor& dy, const Tensor& v) {
      return fused_unless_recorded(BinaryOp::gelu_backward, dy, v, [&] {
        const Tensor cdf = mul(add(erf(mul(v, std::sqrt(0.5))), 1.0), 0.5);
        const Tensor pdf = mul(exp(mul(square(v), -0.5)), 0.39894228040143267794);
        return mul(dy, add(cdf, mul(v, pdf)));
      });
    });
  return function_of_input("gelu", UnaryOp::gelu_tanh, x, [](const Tensor& dy, const Tensor& v) {
    return fused_unless_recorded(BinaryOp::gelu_tanh_backward, dy, v, [&] {
      const double beta = 0.79788456080286535588, kappa = 0.044715;
      const Tensor sq = square(v);
      const Tensor t = tanh(mul(add(mul(mul(sq, v), kappa), v), beta));
      const Tensor slope = mul(add(mul(sq, 3 * kappa), 1.0), beta);
      return mul(dy, mul(add(add(t, 1.0), mul(v, mul(sub(1.0, square(t)), slope))), 0.5));
    });
  });
}

Tensor mish(const Tensor& x) {
  return function_of_input("mish", UnaryOp::mish, x, [](const Tensor& dy, const Tensor& v) {
    const Tensor t = tanh(softplus(v));
    return mul(dy, add(t, mul(mul(v, sigmoid(v)), sub(1.0, square(t)))));
  });
}

Tensor leaky_relu(const Tensor& x, double slope) {
  return parametric("leaky_relu", ParametricOp::leaky_relu, x, slope, 0, 0,
                    [slope](const Tensor& dy, const Tensor& v) { return where(gt(v, 0.0), dy, mul(dy, slope)); });
}

namespace {

Tensor scaled_elu(const char* name, const Tensor& x, double alpha, double scale, double input_scale) {
  return parametric(name, ParametricOp::elu, x, alpha, scale, input_scale, [=](const Tensor& dy, const Tensor& v) {
    const Tensor negative = mul(exp(mul(v, input_scale)), alpha * scale * input_scale);
    return where(gt(v, 0.0), mul(dy, scale), mul(dy, negative));
  });
}

}  // namespace

Tensor elu(const Tensor& x, double alpha) { return scaled_elu("elu", x, alpha, 1, 1); }
Tensor selu(const Tensor& x) {
  return scaled_elu("selu", x, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1);
}
Tensor celu(const Tensor& x, double alpha) {
  check<ValueError>(alpha != 0, "celu: alpha must not be 0");
  return scaled_elu("celu", x, alpha, 1, 1 / alpha);
}

Tensor softplus(const Tensor& x, double beta, double threshold) {
  return parametric("softplus", ParametricOp::softplus, x, beta, threshold, 0, [=](const Tensor& dy, const Tensor& v) {
    const Tensor scaled = mul(v, beta);
    return where(gt(scaled, threshold), dy, mul(dy, sigmoid(scaled)));
  });
}

Tensor logsigmoid(const Tensor& x) {
  return function_of_input("logsigmoid", UnaryOp::logsigmoid, x,
                           [](const Tensor& dy, const Tensor& v) { return mul(dy, sigmoid(neg(v))); });
}

Tensor hardtanh(const Tensor& x, double low, double high) {
  check<ValueError>(low <= high, "hardtanh: low must not exceed high: ", low, ", ", high);
  return parametric("hardtanh", ParametricOp::clamp, x, low, high, 0, [=](const Tensor& dy, const Tensor& v) {
    return masked(dy, logical_and(gt(v, low), lt(v, high)));
  });
}
Tensor relu6(const Tensor& x) { return hardtanh(x, 0, 6); }

Tensor hardsigmoid(const Tensor& x) {
  return function_of_input("hardsigmoid", UnaryOp::hardsigmoid, x, [](const Tensor& dy, const Tensor& v) {
    return mul(masked(dy, logical_and(gt(v, -3.0), lt(v, 3.0))), 1.0 / 6);
  });
}

Tensor hardswish(const Tensor& x) {
  return function_of_input("hardswish", UnaryOp::hardswish, x, [](const Tensor& dy, const Tensor& v) {
    const Tensor middle = mul(dy, add(div(v, 3.0), 0.5));
    return where(le(v, -3.0), zeros_like(dy), where(lt(v, 3.0), middle, dy));
  });
}

Tensor threshold(const Tensor& x, double at, double value) {
  return parametric("threshold", ParametricOp::threshold, x, at, value, 0,
                    [at](const Tensor& dy, const Tensor& v) { return where(le(v, at), zeros_like(dy), dy); });
}

Tensor tanhshrink(const Tensor& x) { return sub(x, tanh(x)); }
Tensor softsign(const Tensor& x) { return div(x, add(abs(x), 1.0)); }
Tensor softshrink(const Tensor& x, double lambda) {
  check<ValueError>(lambda >= 0, "softshrink: lambda must not be negative: ", lambda);
  const Tensor moved = where(gt(x, lambda), sub(x, lambda), add(x, lambda));
  return where(le(abs(x), lambda), zeros_like(x), moved);
}
Tensor hardshrink(const Tensor& x, double lambda) { return where(le(abs(x), lambda), zeros_like(x), x); }

Tensor prelu(const Tensor& x, const Tensor& weight) {
  check<ShapeError>(weight.dim() <= 1, "prelu: weight must be one number or a vector: ", weight.shape());
  Tensor w = weight;
  if (weight.numel() > 1) {
    check<ShapeError>(x.dim() >= 1 && x.size(x.dim() > 1 ? 1 : 0) == weight.numel(),
                      "prelu: one weight for each channel: ", weight.shape(), ", tensor ", x.shape());
    Shape shape(x.dim(), 1);
    shape[x.dim() > 1 ? 1 : 0] = weight.numel();
    w = reshape(weight, shape);
  }
  return where(gt(x, 0.0), x, mul(x, w));
}

Tensor glu(const Tensor& x, int64_t dim) {
  const int64_t size = x.dim() ? x.size(dim) : 1;
  check<ShapeError>(size % 2 == 0, "glu: the dimension must have an even size: ", size, " in ", x.shape());
  return mul(narrow(x, dim, 0, size / 2), sigmoid(narrow(x, dim, size / 2, size / 2)));
}

namespace {

const Tensor& in_place(const char* name, UnaryOp op, const Tensor& x, Tensor (*ordinary)(const Tensor&)) {
  if (needs_grad(x)) return apply_(x, name, [&](const Tensor& old) { return ordinary(old); });
  check_writable(name, x);
  kernels::unary(x.device(), op, x, x);
  x.bump_version();
  return x;
}

}  // namespace

const Tensor& relu_(const Tensor& x) { return in_place("relu_", UnaryOp::relu, x, relu); }
const Tensor& silu_(const Tensor& x) { return in_place("silu_", UnaryOp::silu, x, silu); }
const Tensor& leaky_relu_(const Tensor& x, double slope) {
  return apply_(x, "leaky_relu_", [&](const Tensor& old) { return leaky_relu(old, slope); });
}

}  // namespace hearth
