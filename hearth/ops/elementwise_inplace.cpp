// In-place arithmetic: straight into x where nothing is recorded, else the ordinary op and one write.
#include "hearth/ops/broadcast.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"

namespace hearth {

using kernels::BinaryOp;

namespace {

/// bool, integers, floats, complex: a result may move up, not down.
int category(Dtype dtype) { return is_complex(dtype) ? 3 : is_floating(dtype) ? 2 : is_integral(dtype) ? 1 : 0; }

void check_result(const char* name, const Tensor& x, const Shape& shape, Dtype dtype) {
  check<DtypeError>(category(x.dtype()) >= category(dtype), name, ": result of dtype ", dtype, " cannot be stored in ",
                    x.dtype());
  check<ShapeError>(broadcast_shapes(name, x.shape(), shape) == x.shape(), name,
                    ": result does not have the shape of the tensor: ", x.shape(), " with ", shape);
}

/// x = ordinary(x, y).
template <class F>
const Tensor& binary_(const char* name, BinaryOp op, const Tensor& x, const Tensor& y, Dtype dtype, F ordinary) {
  check_result(name, x, y.shape(), dtype);
  const bool direct =
      !needs_grad(x, y) && dtype == x.dtype() && y.dtype() == dtype && (y.storage() != x.storage() || y.is_same(x));
  if (!direct) return apply_(x, name, [&](const Tensor& old) { return to(ordinary(old), x.dtype()); });
  check_writable(name, x);
  kernels::binary(x.device(), op, x, x, repeated(name, y, x.shape()));
  x.bump_version();
  return x;
}

template <class F>
const Tensor& number_(const char* name, BinaryOp op, const Tensor& x, const Scalar& y, Dtype dtype, F ordinary) {
  if (needs_grad(x) || dtype != x.dtype()) {
    check_result(name, x, {}, dtype);
    return apply_(x, name, [&](const Tensor& old) { return to(ordinary(old), x.dtype()); });
  }
  check_writable(name, x);
  kernels::binary(x.device(), op, x, x, repeated(name, number_beside(x, y), x.shape()));
  x.bump_version();
  return x;
}

}  // namespace

const Tensor& add_(const Tensor& x, const Tensor& y, const Scalar& alpha) {
  if (alpha.to_complex() != 1.0) return add_(x, mul(y, alpha));
  return binary_("add_", BinaryOp::add, x, y, result_type(x, y), [&](const Tensor& old) { return add(old, y); });
}
const Tensor& add_(const Tensor& x, const Scalar& y) {
  return number_("add_", BinaryOp::add, x, y, result_type(x, y), [&](const Tensor& old) { return add(old, y); });
}
const Tensor& sub_(const Tensor& x, const Tensor& y, const Scalar& alpha) {
  if (alpha.to_complex() != 1.0) return sub_(x, mul(y, alpha));
  return binary_("sub_", BinaryOp::sub, x, y, result_type(x, y), [&](const Tensor& old) { return sub(old, y); });
}
const Tensor& sub_(const Tensor& x, const Scalar& y) {
  return number_("sub_", BinaryOp::sub, x, y, result_type(x, y), [&](const Tensor& old) { return sub(old, y); });
}
const Tensor& mul_(const Tensor& x, const Tensor& y) {
  return binary_("mul_", BinaryOp::mul, x, y, result_type(x, y), [&](const Tensor& old) { return mul(old, y); });
}
const Tensor& mul_(const Tensor& x, const Scalar& y) {
  return number_("mul_", BinaryOp::mul, x, y, result_type(x, y), [&](const Tensor& old) { return mul(old, y); });
}
const Tensor& div_(const Tensor& x, const Tensor& y) {
  return binary_("div_", BinaryOp::div, x, y, float_type(result_type(x, y)),
                 [&](const Tensor& old) { return div(old, y); });
}
const Tensor& div_(const Tensor& x, const Scalar& y) {
  return number_("div_", BinaryOp::div, x, y, float_type(result_type(x, y)),
                 [&](const Tensor& old) { return div(old, y); });
}
const Tensor& pow_(const Tensor& x, const Tensor& y) {
  return binary_("pow_", BinaryOp::pow, x, y, result_type(x, y), [&](const Tensor& old) { return pow(old, y); });
}
const Tensor& pow_(const Tensor& x, const Scalar& y) {
  check_result("pow_", x, {}, result_type(x, y));
  return apply_(x, "pow_", [&](const Tensor& old) { return to(pow(old, y), x.dtype()); });
}
const Tensor& remainder_(const Tensor& x, const Tensor& y) {
  return binary_("remainder_", BinaryOp::remainder, x, y, result_type(x, y),
                 [&](const Tensor& old) { return remainder(old, y); });
}
const Tensor& floor_divide_(const Tensor& x, const Tensor& y) {
  return binary_("floor_divide_", BinaryOp::floor_divide, x, y, result_type(x, y),
                 [&](const Tensor& old) { return floor_divide(old, y); });
}
const Tensor& lerp_(const Tensor& x, const Tensor& end, double weight) {
  check_result("lerp_", x, end.shape(), result_type(x, end));
  return apply_(x, "lerp_", [&](const Tensor& old) { return to(lerp(old, end, weight), x.dtype()); });
}
const Tensor& addcmul_(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value) {
  return add_(x, mul(a, b), value);
}
const Tensor& addcdiv_(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value) {
  return add_(x, div(a, b), value);
}

}  // namespace hearth
