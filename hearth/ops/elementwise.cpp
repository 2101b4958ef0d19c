// Element-wise ops: promotion and broadcasting in `binary`, then one formula under each forward.
#include "hearth/ops/elementwise.h"

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::BinaryOp;
using kernels::UnaryOp;

namespace {

/// Runs the kernel on operands of one dtype after broadcasting; records nothing.
Tensor binary(const char* name, BinaryOp op, const Tensor& x, const Tensor& y, Dtype dtype) {
  check<DeviceError>(x.device() == y.device(), name, ": operands are on different devices: ", x.device(), " and ",
                     y.device());
  NoGrad guard;
  const Tensor a = to(x, dtype), b = to(y, dtype);
  if (a.shape() == b.shape()) {
    const Tensor out = Tensor::empty(a.shape(), dtype, x.device());
    kernels::binary(x.device(), op, out, a, b);
    return out;
  }
  const Shape shape = broadcast_shapes(name, a.shape(), b.shape());
  const Tensor out = Tensor::empty(shape, dtype, x.device());
  kernels::binary(x.device(), op, out, expand(a, shape), expand(b, shape));
  return out;
}

/// A gradient in the shape and dtype of the operand that it belongs to.
Tensor gradient_for(const Tensor& g, const Shape& shape, Dtype dtype) { return to(sum_to(g, shape), dtype); }

Tensor scalar_like(const Tensor& x, const Scalar& value) { return scalar_tensor(value, result_type(x, value)); }

Tensor unary(UnaryOp op, const Tensor& x) {
  const Tensor input = is_floating(x.dtype()) || op == UnaryOp::neg ? x : to(x, Dtype::float32);
  const Tensor y = empty_like(input);
  kernels::unary(x.device(), op, y, input);
  return y;
}

Dtype float_type(Dtype dtype) { return is_floating(dtype) ? dtype : Dtype::float32; }

}  // namespace

Tensor add(const Tensor& x, const Tensor& y) {
  const Tensor z = binary("add", BinaryOp::add, x, y, result_type(x, y));
  if (!needs_grad(x, y)) return z;
  return record("add", z, {x, y},
                [xs = x.shape(), ys = y.shape(), xd = x.dtype(), yd = y.dtype()](const GradContext& c) -> Grads {
                  return {c.needs(0) ? gradient_for(c.dy(), xs, xd) : Tensor(),
                          c.needs(1) ? gradient_for(c.dy(), ys, yd) : Tensor()};
                });
}
Tensor add(const Tensor& x, const Scalar& y) { return add(x, scalar_like(x, y)); }

Tensor sub(const Tensor& x, const Tensor& y) {
  const Tensor z = binary("sub", BinaryOp::sub, x, y, result_type(x, y));
  if (!needs_grad(x, y)) return z;
  return record("sub", z, {x, y},
                [xs = x.shape(), ys = y.shape(), xd = x.dtype(), yd = y.dtype()](const GradContext& c) -> Grads {
                  return {c.needs(0) ? gradient_for(c.dy(), xs, xd) : Tensor(),
                          c.needs(1) ? gradient_for(neg(c.dy()), ys, yd) : Tensor()};
                });
}
Tensor sub(const Tensor& x, const Scalar& y) { return sub(x, scalar_like(x, y)); }

Tensor mul(const Tensor& x, const Tensor& y) {
  const Tensor z = binary("mul", BinaryOp::mul, x, y, result_type(x, y));
  if (!needs_grad(x, y)) return z;
  return record("mul", z, {x, y}, [x = save(x), y = save(y)](const GradContext& c) -> Grads {
    const Tensor a = x.get(c), b = y.get(c);
    return {c.needs(0) ? gradient_for(mul(c.dy(), b), a.shape(), a.dtype()) : Tensor(),
            c.needs(1) ? gradient_for(mul(c.dy(), a), b.shape(), b.dtype()) : Tensor()};
  });
}
Tensor mul(const Tensor& x, const Scalar& y) { return mul(x, scalar_like(x, y)); }

Tensor div(const Tensor& x, const Tensor& y) {
  const Tensor z = binary("div", BinaryOp::div, x, y, float_type(result_type(x, y)));
  if (!needs_grad(x, y)) return z;
  return record("div", z, {x, y}, [x = save(x), y = save(y)](const GradContext& c) -> Grads {
    const Tensor a = x.get(c), b = y.get(c);
    return {c.needs(0) ? gradient_for(div(c.dy(), b), a.shape(), a.dtype()) : Tensor(),
            c.needs(1) ? gradient_for(neg(mul(c.dy(), div(div(a, b), b))), b.shape(), b.dtype()) : Tensor()};
  });
}
Tensor div(const Tensor& x, const Scalar& y) { return div(x, scalar_like(x, y)); }

Tensor pow(const Tensor& x, const Tensor& y) {
  const Tensor z = binary("pow", BinaryOp::pow, x, y, result_type(x, y));
  if (!needs_grad(x, y)) return z;
  return record("pow", z, {x, y}, [x = save(x), y = save(y)](const GradContext& c) -> Grads {
    const Tensor a = x.get(c), b = y.get(c);
    return {c.needs(0) ? gradient_for(mul(c.dy(), mul(b, pow(a, sub(b, 1)))), a.shape(), a.dtype()) : Tensor(),
            c.needs(1) ? gradient_for(mul(c.dy(), mul(pow(a, b), log(a))), b.shape(), b.dtype()) : Tensor()};
  });
}
Tensor pow(const Tensor& x, const Scalar& y) { return pow(x, scalar_like(x, y)); }

Tensor neg(const Tensor& x) {
  const Tensor y = unary(UnaryOp::neg, x);
  if (!needs_grad(x)) return y;
  return record("neg", y, {x}, [](const GradContext& c) -> Grads { return {neg(c.dy())}; });
}

Tensor exp(const Tensor& x) {
  const Tensor y = unary(UnaryOp::exp, x);
  if (!needs_grad(x)) return y;
  return record("exp", y, {x}, [y = save_output(y)](const GradContext& c) -> Grads { return {mul(c.dy(), y.get(c))}; });
}

Tensor log(const Tensor& x) {
  const Tensor y = unary(UnaryOp::log, x);
  if (!needs_grad(x)) return y;
  return record("log", y, {x}, [x = save(x)](const GradContext& c) -> Grads { return {div(c.dy(), x.get(c))}; });
}

Tensor sqrt(const Tensor& x) {
  const Tensor y = unary(UnaryOp::sqrt, x);
  if (!needs_grad(x)) return y;
  return record("sqrt", y, {x},
                [y = save_output(y)](const GradContext& c) -> Grads { return {div(c.dy(), mul(y.get(c), 2))}; });
}

Tensor tanh(const Tensor& x) {
  const Tensor y = unary(UnaryOp::tanh, x);
  if (!needs_grad(x)) return y;
  return record("tanh", y, {x}, [y = save_output(y)](const GradContext& c) -> Grads {
    const Tensor v = y.get(c);
    return {mul(c.dy(), sub(scalar_tensor(1, v.dtype()), mul(v, v)))};
  });
}

Tensor sigmoid(const Tensor& x) {
  const Tensor y = unary(UnaryOp::sigmoid, x);
  if (!needs_grad(x)) return y;
  return record("sigmoid", y, {x}, [y = save_output(y)](const GradContext& c) -> Grads {
    const Tensor v = y.get(c);
    return {mul(c.dy(), mul(v, sub(scalar_tensor(1, v.dtype()), v)))};
  });
}

Tensor relu(const Tensor& x) {
  const Tensor y = unary(UnaryOp::relu, x);
  if (!needs_grad(x)) return y;
  return record("relu", y, {x}, [y = save_output(y)](const GradContext& c) -> Grads {
    const Tensor v = y.get(c);
    const Tensor mask = Tensor::empty(v.shape(), Dtype::boolean, v.device());
    kernels::compare(v.device(), kernels::CompareOp::gt, mask, v.detach(),
                     expand(scalar_tensor(0, v.dtype()), v.shape()));
    return {mul(c.dy(), to(mask, v.dtype()))};
  });
}

namespace {

/// x = op(x, y) where the result must keep x's shape and a dtype that x can hold.
const Tensor& binary_(const char* name, BinaryOp op, const Tensor& x, const Tensor& y,
                      Tensor (*ordinary)(const Tensor&, const Tensor&)) {
  const Dtype dtype = result_type(x, y);
  check<DtypeError>(
      is_floating(x.dtype()) >= is_floating(dtype) && (x.dtype() != Dtype::boolean || dtype == Dtype::boolean), name,
      ": result of dtype ", dtype, " cannot be stored in ", x.dtype());
  check<ShapeError>(broadcast_shapes(name, x.shape(), y.shape()) == x.shape(), name,
                    ": result does not have the shape of the tensor: ", x.shape(), " with ", y.shape());
  if (needs_grad(x, y)) return apply_(x, name, [&](const Tensor& old) { return to(ordinary(old, y), x.dtype()); });
  check_writable(name, x);
  const Tensor operand = expand(to(y.storage() == x.storage() && !y.is_same(x) ? clone(y) : y, x.dtype()), x.shape());
  kernels::binary(x.device(), op, x, x, operand);
  x.bump_version();
  return x;
}

}  // namespace

const Tensor& add_(const Tensor& x, const Tensor& y) { return binary_("add_", BinaryOp::add, x, y, add); }
const Tensor& mul_(const Tensor& x, const Tensor& y) { return binary_("mul_", BinaryOp::mul, x, y, mul); }
const Tensor& mul_(const Tensor& x, const Scalar& y) { return mul_(x, scalar_like(x, y)); }

}  // namespace hearth
