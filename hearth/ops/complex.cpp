// Complex numbers: parts are views with the real dtype, everything else is made of ops on parts.
#include "hearth/ops/complex.h"

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/ops/broadcast.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// The parts of complex numbers as an alias [..., 2] without history.
Tensor parts_alias(const Tensor& x) {
  Shape shape = x.shape(), strides = x.strides();
  for (int64_t& stride : strides) stride *= 2;
  shape.push_back(2);
  strides.push_back(1);
  Tensor y = x.alias(shape, strides, 2 * x.offset());
  y.impl()->dtype = real_type(x.dtype());
  return y;
}

/// Pairs [..., 2] as an alias of complex numbers without history.
Tensor pairs_alias(const Tensor& x) {
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(x.dim() - 1);
  strides.erase(x.dim() - 1);
  for (int64_t& stride : strides) stride /= 2;
  Tensor y = x.alias(shape, strides, x.offset() / 2);
  y.impl()->dtype = complex_type(x.dtype());
  return y;
}

void check_complex(const char* op, const Tensor& x) {
  check<DtypeError>(is_complex(x.dtype()), op, ": needs a complex tensor: ", x.dtype());
}

void check_parts(const char* op, const Tensor& x, const Tensor& y) {
  check<DtypeError>(x.dtype() == y.dtype() && (x.dtype() == Dtype::float32 || x.dtype() == Dtype::float64), op,
                    ": both parts must be float32, or both float64: ", x.dtype(), " and ", y.dtype());
}

}  // namespace

Tensor view_as_real(const Tensor& x) {
  check_complex("view_as_real", x);
  const Tensor y = parts_alias(x);
  note_view(y, x);
  if (!needs_grad(x)) return y;
  return record("view_as_real", y, {x},
                [](const GradContext& c) -> Grads { return {view_as_complex(contiguous(c.dy()))}; });
}

Tensor view_as_complex(const Tensor& x) {
  check<DtypeError>(x.dtype() == Dtype::float32 || x.dtype() == Dtype::float64,
                    "view_as_complex: needs float32 or float64: ", x.dtype());
  check<ShapeError>(x.dim() > 0 && x.shape().back() == 2, "view_as_complex: the last dimension must be 2: ", x.shape());
  bool pairs = x.strides().back() == 1 && x.offset() % 2 == 0;
  for (int d = 0; d + 1 < x.dim(); ++d) pairs = pairs && (x.strides()[d] % 2 == 0 || x.shape()[d] <= 1);
  check<ShapeError>(pairs, "view_as_complex: memory must hold pairs side by side: strides ", x.strides(), ", offset ",
                    x.offset());
  const Tensor y = pairs_alias(x);
  note_view(y, x);
  if (!needs_grad(x)) return y;
  return record("view_as_complex", y, {x}, [](const GradContext& c) -> Grads { return {view_as_real(c.dy())}; });
}

Tensor real(const Tensor& x) { return is_complex(x.dtype()) ? select(view_as_real(x), -1, 0) : x; }

Tensor imag(const Tensor& x) {
  check_complex("imag", x);
  return select(view_as_real(x), -1, 1);
}

Tensor conj(const Tensor& x) {
  if (!is_complex(x.dtype())) return x;
  const Tensor y = empty_like(x);
  kernels::copy(x.device(), y, x);
  const Tensor imaginary = select(parts_alias(y), -1, 1).detach();
  kernels::unary(x.device(), kernels::UnaryOp::neg, imaginary, imaginary);
  if (!needs_grad(x)) return y;
  return record("conj", y, {x}, [](const GradContext& c) -> Grads { return {conj(c.dy())}; });
}

Tensor complex(const Tensor& real_part, const Tensor& imaginary) {
  check_parts("complex", real_part, imaginary);
  const Shape shape = broadcast_shapes("complex", real_part.shape(), imaginary.shape());
  const Tensor z = Tensor::empty(shape, complex_type(real_part.dtype()), real_part.device());
  const Tensor parts = parts_alias(z);
  kernels::copy(z.device(), select(parts, -1, 0).detach(), repeated("complex", real_part, shape));
  kernels::copy(z.device(), select(parts, -1, 1).detach(), repeated("complex", imaginary, shape));
  if (!needs_grad(real_part, imaginary)) return z;
  return record("complex", z, {real_part, imaginary},
                [re = real_part.shape(), im = imaginary.shape()](const GradContext& c) -> Grads {
                  const Dtype dtype = real_type(c.dy().dtype());
                  return {c.needs(0) ? gradient_for(real(c.dy()), re, dtype) : Tensor(),
                          c.needs(1) ? gradient_for(imag(c.dy()), im, dtype) : Tensor()};
                });
}

Tensor polar(const Tensor& magnitude, const Tensor& phase) {
  check_parts("polar", magnitude, phase);
  return complex(mul(magnitude, cos(phase)), mul(magnitude, sin(phase)));
}

Tensor angle(const Tensor& x) {
  if (!is_complex(x.dtype())) {
    const Tensor y = to(x.detach(), float_type(x.dtype()));
    const Tensor phase = where(isnan(y), y, where(lt(y, 0.0), 3.14159265358979323846, zeros_like(y)));
    if (!needs_grad(x)) return phase;
    return record("angle", phase, {x}, [](const GradContext& c) -> Grads { return {zeros_like(c.dy())}; });
  }
  const Tensor phase = atan2(imag(x.detach()), real(x.detach()));
  if (!needs_grad(x)) return phase;
  return record("angle", phase, {x}, [x = save(x)](const GradContext& c) -> Grads {
    // i z / |z|^2, which is 1 / conj(z) turned by a right angle.
    const Tensor v = x.get(c), zero = eq(v.detach(), 0.0);
    const Tensor turned = div(std::complex<double>(0, 1), conj(where(zero, 1.0, v)));
    return {where(zero, 0.0, mul(c.dy(), turned))};
  });
}

Tensor sgn(const Tensor& x) {
  if (!is_complex(x.dtype())) return sign(x);
  const Tensor length = abs(x);
  const Tensor zero = eq(length.detach(), 0.0);
  return where(zero, 0.0, div(x, where(zero, 1.0, length)));
}

Tensor isreal(const Tensor& x) {
  NoGrad guard;
  return is_complex(x.dtype()) ? eq(imag(x), 0.0) : full(x.shape(), true, Dtype::boolean, x.device());
}

Tensor vdot(const Tensor& x, const Tensor& y) {
  check<DtypeError>(x.dtype() == y.dtype(), "vdot: dtypes differ: ", x.dtype(), " and ", y.dtype());
  check<ShapeError>(x.dim() == 1 && y.dim() == 1 && x.size(0) == y.size(0),
                    "vdot: needs two vectors of one length: ", x.shape(), " and ", y.shape());
  return sum(mul(conj(x), y));
}

}  // namespace hearth
