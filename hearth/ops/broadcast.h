// Broadcast: what element-wise ops share: promotion, broadcasting, the kernel call, and gradients in operand shape.
#pragma once

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/default_dtype.h"
#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"

namespace hearth {

/// The dtype of functions that have no integer result: floating and complex dtypes stay, others become the default.
inline Dtype float_type(Dtype dtype) { return is_differentiable(dtype) ? dtype : default_dtype(); }

/// A 0-dim tensor for a plain number beside x. Beside a 16-bit float it is a float32, so that it is not rounded before
/// it is used.
Tensor number_beside(const Tensor& x, const Scalar& value);

/// x in another shape without copying and without history; sizes of 1 and missing leading dimensions repeat. Raises
/// ShapeError naming `op`.
Tensor repeated(const char* op, const Tensor& x, const Shape& shape);

/// op(x, y) of dtype `dtype`, broadcast, without history. Raises ShapeError, DeviceError.
Tensor call_binary(const char* name, kernels::BinaryOp op, const Tensor& x, const Tensor& y, Dtype dtype);
/// op(x, y) as bool.
Tensor call_compare(const char* name, kernels::CompareOp op, const Tensor& x, const Tensor& y);
/// op(x) without history; x must have a dtype that the op accepts.
Tensor call_unary(kernels::UnaryOp op, const Tensor& x);
Tensor call_parametric(kernels::ParametricOp op, const Tensor& x, double a, double b = 0, double c = 0);

/// A gradient summed down to the shape of the operand that it belongs to, in its dtype.
Tensor gradient_for(const Tensor& g, const Shape& shape, Dtype dtype);

// Formulas are written for real numbers. That of a holomorphic function is linear in dy, so the gradient of complex
// numbers, dy times the conjugate of the derivative, is the conjugate of the formula at the conjugate of dy.

/// y = op(x) whose gradient is f(dy, x), for x made floating first.
template <class F>
Tensor function_of_input(const char* name, kernels::UnaryOp op, const Tensor& x, F f) {
  const Tensor input = to(x, float_type(x.dtype()));
  const Tensor y = call_unary(op, input);
  if (!needs_grad(x)) return y;
  return record(name, y, {x},
                [x = save(x), f](const GradContext& c) -> Grads { return {conj(f(conj(c.dy()), x.get(c)))}; });
}

/// y = op(x) whose gradient is f(dy, y), for x made floating first.
template <class F>
Tensor function_of_output(const char* name, kernels::UnaryOp op, const Tensor& x, F f) {
  const Tensor input = to(x, float_type(x.dtype()));
  const Tensor y = call_unary(op, input);
  if (!needs_grad(x)) return y;
  return record(name, y, {x},
                [y = save_output(y), f](const GradContext& c) -> Grads { return {conj(f(conj(c.dy()), y.get(c)))}; });
}

}  // namespace hearth
