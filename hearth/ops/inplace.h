// In-place writes: one mechanism for all. The result is computed by the ordinary op, written over the tensor, and the
// tensor (or, for a view, its base) takes the result's history.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// Raises ValueError when x must not be written: a leaf that requires grad (or a view of one) in grad mode, read-only
/// memory, or memory that shares elements (expanded).
void check_writable(const char* op, const Tensor& x);

/// Writes `value` (x's shape and dtype) over x and gives x its history. Returns x.
const Tensor& assign_(const Tensor& x, const Tensor& value);

/// A tensor with x's data and history that a later write into x leaves alone; ops that save x in an in-place form
/// compute on it.
Tensor snapshot(const Tensor& x);

/// x = src, broadcast and converted. Differentiable in both.
const Tensor& copy_(const Tensor& x, const Tensor& src);
const Tensor& fill_(const Tensor& x, const Scalar& value);
const Tensor& zero_(const Tensor& x);

/// x = op(x, ...) for any op. Example: apply_(x, "mul_", [&](const Tensor& old) { return mul(old, y); });
template <class F>
const Tensor& apply_(const Tensor& x, const char* name, F op) {
  check_writable(name, x);
  return assign_(x, op(grad_enabled() ? snapshot(x) : x));
}

}  // namespace hearth
