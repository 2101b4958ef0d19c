// Operands: reading "a tensor or a number" arguments of element-wise ops.
#pragma once

#include <utility>

#include "hearth/ops/broadcast.h"
#include "python/src/args.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/signature.h"

namespace hearth::python {

/// The number at place i. Raises TypeError for anything else.
inline Scalar number_operand(Args& a, int i) {
  if (!is_number(a.object(i)))
    fail_type("%s(): argument %d must be Tensor or Number, not %s", a.op(), i + 1, Py_TYPE(a.object(i))->tp_name);
  return a.number(i);
}

/// Arguments i and j as tensors; a number becomes a 0-dim tensor that promotes as a number does beside the other one.
/// Raises TypeError when one of them is neither.
inline std::pair<Tensor, Tensor> operands(Args& a, int i = 0, int j = 1) {
  if (a.is_tensor(i)) {
    const Tensor& x = a.tensor(i);
    return {x, a.is_tensor(j) ? a.tensor(j) : number_beside(x, number_operand(a, j))};
  }
  if (a.is_tensor(j)) {
    const Tensor& y = a.tensor(j);
    return {number_beside(y, number_operand(a, i)), y};
  }
  fail_type("%s(): one of the arguments must be a Tensor: got %s and %s", a.op(), Py_TYPE(a.object(i))->tp_name,
            Py_TYPE(a.object(j))->tp_name);
}

/// The same, but two numbers are both made into tensors.
inline std::pair<Tensor, Tensor> operands_or_numbers(Args& a) {
  if (a.is_tensor(0) || a.is_tensor(1)) return operands(a);
  return {scalar_tensor(number_operand(a, 0)), scalar_tensor(number_operand(a, 1))};
}

/// Binds op(tensor).
template <Tensor (*op)(const Tensor&)>
void def_unary(Module& m, const char* name, int faces) {
  const std::string signature = std::string(name) + "(input: Tensor, *, out: Tensor? = None)";
  m.def(
      signature.c_str(), [](Args& a) { return op(a.tensor(0)); }, faces);
}

/// Binds op(tensor, tensor) under a signature whose first two parameters are the operands, either of which may be a
/// number where the signature does not say Tensor.
template <Tensor (*op)(const Tensor&, const Tensor&)>
void def_binary(Module& m, const char* signature, int faces) {
  m.def(
      signature,
      [](Args& a) {
        const auto [x, y] = operands(a);
        return op(x, y);
      },
      faces);
}

/// Binds f(x, y), which takes a Tensor or a Scalar on either side.
template <class F>
void def_arithmetic(Module& m, const char* signature, F, int faces) {
  m.def(
      signature,
      [](Args& a) -> Tensor {
        const F f{};
        if (a.is_tensor(0)) {
          if (a.is_tensor(1)) return f(a.tensor(0), a.tensor(1));
          return f(a.tensor(0), number_operand(a, 1));
        }
        if (a.is_tensor(1)) return f(number_operand(a, 0), a.tensor(1));
        const auto [x, y] = operands_or_numbers(a);
        return f(x, y);
      },
      faces);
}

}  // namespace hearth::python
