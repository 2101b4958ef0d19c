// Comparisons and logic: results are bool and have no gradient; `where` chooses by them.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

// Shapes broadcast, dtypes promote. Example: Tensor mask = gt(x, 0.5);
Tensor eq(const Tensor& x, const Tensor& y);
Tensor ne(const Tensor& x, const Tensor& y);
Tensor lt(const Tensor& x, const Tensor& y);
Tensor le(const Tensor& x, const Tensor& y);
Tensor gt(const Tensor& x, const Tensor& y);
Tensor ge(const Tensor& x, const Tensor& y);
Tensor eq(const Tensor& x, const Scalar& y);
Tensor ne(const Tensor& x, const Scalar& y);
Tensor lt(const Tensor& x, const Scalar& y);
Tensor le(const Tensor& x, const Scalar& y);
Tensor gt(const Tensor& x, const Scalar& y);
Tensor ge(const Tensor& x, const Scalar& y);

/// |x - y| <= atol + rtol * |y|, or x and y are the same infinity (or both NaN with equal_nan).
Tensor isclose(const Tensor& x, const Tensor& y, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
bool allclose(const Tensor& x, const Tensor& y, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// Whether shapes and all elements are equal.
bool equal(const Tensor& x, const Tensor& y);

Tensor isnan(const Tensor& x);
Tensor isinf(const Tensor& x);
Tensor isfinite(const Tensor& x);
Tensor isposinf(const Tensor& x);
Tensor isneginf(const Tensor& x);
/// Whether the sign bit is set: of -0.0 too.
Tensor signbit(const Tensor& x);

Tensor logical_and(const Tensor& x, const Tensor& y);
Tensor logical_or(const Tensor& x, const Tensor& y);
Tensor logical_xor(const Tensor& x, const Tensor& y);
Tensor logical_not(const Tensor& x);

/// condition ? x : y, all broadcast. Raises DtypeError when the condition is not bool.
Tensor where(const Tensor& condition, const Tensor& x, const Tensor& y);
Tensor where(const Tensor& condition, const Tensor& x, const Scalar& y);
Tensor where(const Tensor& condition, const Scalar& x, const Tensor& y);

}  // namespace hearth
