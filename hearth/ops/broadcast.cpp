// Broadcast: operands reach the kernel as they are when its compute type can read them, else converted.
#include "hearth/ops/broadcast.h"

#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// Kernels read operands in float32, float64, int64 or the type itself; inside one of these no conversion is needed.
int compute_class(Dtype dtype) {
  if (dtype == Dtype::uint64 || dtype == Dtype::float64 || is_complex(dtype)) return 2 + int(dtype);
  return is_floating(dtype) ? 1 : 0;
}

Tensor readable_as(const Tensor& x, Dtype dtype) {
  if (x.dtype() == dtype) return x;
  // A 16-bit float is float32 exactly; the other way round a rounding would be skipped, which only numbers want.
  const bool exact = dtype == Dtype::float32 || dtype == Dtype::int64 || (is_floating(dtype) && x.dim() == 0);
  if (exact && compute_class(x.dtype()) == compute_class(dtype)) return x;
  NoGrad guard;
  return to(x, dtype);
}

/// Calls f(x), or f(a copy of x) where x is a large transposed tensor, which is walked much faster after a copy.
template <class F>
void with_walkable(const Tensor& x, F f) {
  constexpr int64_t worth_copying = 4096;
  if (x.is_contiguous() || x.numel() < worth_copying || x.stride(-1) <= 1) return f(x);
  for (int64_t stride : x.strides())
    if (stride == 0) return f(x);
  NoGrad guard;
  f(clone(x));
}

void call_kernel(kernels::BinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  with_walkable(x, [&](const Tensor& a) {
    with_walkable(y, [&](const Tensor& b) { kernels::binary(out.device(), op, out, a, b); });
  });
}

bool takes_bool(kernels::BinaryOp op) {
  using K = kernels::BinaryOp;
  return op == K::add || op == K::mul || op == K::maximum || op == K::minimum || op == K::fmax || op == K::fmin ||
         op == K::bitwise_and || op == K::bitwise_or || op == K::bitwise_xor;
}

bool takes_complex(kernels::BinaryOp op) {
  using K = kernels::BinaryOp;
  return op == K::add || op == K::sub || op == K::mul || op == K::div || op == K::pow;
}

void check_same_device(const char* name, const Tensor& x, const Tensor& y) {
  check<DeviceError>(x.device() == y.device(), name, ": operands are on different devices: ", x.device(), " and ",
                     y.device());
}

}  // namespace

Tensor number_beside(const Tensor& x, const Scalar& value) {
  const Dtype dtype = result_type(x, value);
  const bool narrow = dtype == Dtype::float16 || dtype == Dtype::bfloat16;
  return scalar_tensor(value, narrow && x.dim() > 0 ? Dtype::float32 : dtype);
}

Tensor repeated(const char* op, const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const int lead = shape.size() - x.dim();
  check<ShapeError>(lead >= 0, op, ": shape ", x.shape(), " does not broadcast to ", shape);
  Shape strides(shape.size(), 0);
  for (int d = lead; d < shape.size(); ++d) {
    const int64_t size = x.shape()[d - lead];
    check<ShapeError>(size == shape[d] || size == 1, op, ": shape ", x.shape(), " does not broadcast to ", shape);
    strides[d] = size == shape[d] ? x.strides()[d - lead] : 0;
  }
  return x.alias(shape, strides, x.offset());
}

Tensor call_binary(const char* name, kernels::BinaryOp op, const Tensor& x, const Tensor& y, Dtype dtype) {
  check<DtypeError>(dtype != Dtype::boolean || takes_bool(op), name, ": not defined for bool");
  check<DtypeError>(!is_complex(dtype) || takes_complex(op), name, ": not defined for complex numbers: ", dtype);
  check_same_device(name, x, y);
  if (x.shape() == y.shape() && x.dtype() == dtype && y.dtype() == dtype) {
    const Tensor out = Tensor::empty(x.shape(), dtype, x.device());
    call_kernel(op, out, x, y);
    return out;
  }
  const Tensor a = readable_as(x, dtype), b = readable_as(y, dtype);
  const Shape shape = broadcast_shapes(name, a.shape(), b.shape());
  const Tensor out = Tensor::empty(shape, dtype, x.device());
  call_kernel(op, out, repeated(name, a, shape), repeated(name, b, shape));
  return out;
}

Tensor call_compare(const char* name, kernels::CompareOp op, const Tensor& x, const Tensor& y) {
  check_same_device(name, x, y);
  const Dtype dtype = result_type(x, y);
  NoGrad guard;
  const Tensor a = to(x, dtype), b = to(y, dtype);
  const Shape shape = broadcast_shapes(name, a.shape(), b.shape());
  const Tensor out = Tensor::empty(shape, Dtype::boolean, x.device());
  kernels::compare(x.device(), op, out, repeated(name, a, shape), repeated(name, b, shape));
  return out;
}

Tensor call_unary(kernels::UnaryOp op, const Tensor& x) {
  const Tensor y = empty_like(x);
  kernels::unary(x.device(), op, y, x);
  return y;
}

Tensor call_parametric(kernels::ParametricOp op, const Tensor& x, double a, double b, double c) {
  const Tensor y = empty_like(x);
  kernels::parametric(x.device(), op, y, x, a, b, c);
  return y;
}

Tensor gradient_for(const Tensor& g, const Shape& shape, Dtype dtype) {
  return to(g.shape() == shape ? g : sum_to(g, shape), dtype);
}

}  // namespace hearth
