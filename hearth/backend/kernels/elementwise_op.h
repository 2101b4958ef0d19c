// Names of the element-wise operations. Holds no code and includes nothing but <stdint.h>, because it is also read by
// files that are compiled per instruction set.
#pragma once

#include <stdint.h>

namespace hearth::kernels {

enum class UnaryOp : uint8_t {
  neg,
  abs,
  sign,
  ceil,
  floor,
  round,  ///< half to even
  trunc,
  frac,
  sqrt,
  rsqrt,
  reciprocal,
  square,
  exp,
  expm1,
  exp2,
  log,
  log1p,
  log2,
  log10,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  erfc,
  erfinv,
  lgamma,
  digamma,
  trigamma,
  sigmoid,
  logit,
  logsigmoid,
  relu,
  silu,
  gelu,
  gelu_tanh,
  mish,
  hardsigmoid,
  hardswish,
  bitwise_not,
  logical_not,
  isnan,
  isinf,
  isfinite,
};

/// Functions of one tensor and up to three numbers a, b, c.
enum class ParametricOp : uint8_t {
  leaky_relu,  ///< x > 0 ? x : a x
  elu,         ///< x > 0 ? b x : a b expm1(c x)
  softplus,    ///< a x > b ? x : log1p(exp(a x)) / a
  clamp,       ///< min(max(x, a), b); NaN stays
  threshold,   ///< x <= a ? b : x
};

enum class BinaryOp : uint8_t {
  add,
  sub,
  mul,
  div,  ///< integers: truncated
  floor_divide,
  remainder,
  fmod,
  pow,
  maximum,
  minimum,
  fmax,
  fmin,
  atan2,
  hypot,
  copysign,
  logaddexp,
  bitwise_and,
  bitwise_or,
  bitwise_xor,
  left_shift,
  right_shift,
  // Gradients of activations: x is the gradient of the output, y the output (relu, sigmoid, tanh) or the input.
  relu_backward,
  sigmoid_backward,
  tanh_backward,
  silu_backward,
  gelu_backward,
  gelu_tanh_backward,
};

enum class CompareOp : uint8_t { eq, ne, lt, le, gt, ge };

}  // namespace hearth::kernels
