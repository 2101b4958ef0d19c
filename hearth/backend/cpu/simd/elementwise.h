// Element-wise functions of contiguous float or double arrays, one table of functions per instruction set.
#pragma once

#include <stdint.h>

#include "hearth/backend/kernels/elementwise_op.h"

namespace hearth::cpu {

/// y[i] = f(x[i]; p); y may be x. `p` holds three parameters, or nothing for an op without any.
template <class T>
using UnaryChunk = void (*)(T* y, const T* x, int64_t n, const T* p);
/// z[i] = f(x[i], y[i]); z may be x or y. An operand whose flag `x_one` or `y_one` is set is one number; not both are.
template <class T>
using BinaryChunk = void (*)(T* z, const T* x, bool x_one, const T* y, bool y_one, int64_t n);
template <class T>
using CompareChunk = void (*)(bool* z, const T* x, bool x_one, const T* y, bool y_one, int64_t n);

/// 16-bit floats to float32 and back, rounded to nearest even.
struct HalfConversion {
  void (*from_bf16)(float* y, const uint16_t* x, int64_t n);
  void (*from_f16)(float* y, const uint16_t* x, int64_t n);
  void (*to_bf16)(uint16_t* y, const float* x, int64_t n);
  void (*to_f16)(uint16_t* y, const float* x, int64_t n);
};

// Each lookup returns null for an operation that floats do not have.
#define HEARTH_ELEMENTWISE(ISA)                             \
  namespace ISA {                                           \
  template <class T>                                        \
  UnaryChunk<T> unary_chunk(kernels::UnaryOp op);           \
  template <class T>                                        \
  UnaryChunk<T> parametric_chunk(kernels::ParametricOp op); \
  template <class T>                                        \
  BinaryChunk<T> binary_chunk(kernels::BinaryOp op);        \
  template <class T>                                        \
  CompareChunk<T> compare_chunk(kernels::CompareOp op);     \
  extern const HalfConversion half_conversion;              \
  }
HEARTH_ELEMENTWISE(generic)
HEARTH_ELEMENTWISE(avx2)
HEARTH_ELEMENTWISE(avx512)
#undef HEARTH_ELEMENTWISE

}  // namespace hearth::cpu
