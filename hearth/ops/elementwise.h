// Element-wise ops: arithmetic of tensors and numbers, with broadcasting and type promotion. Includes the other
// element-wise families.
#pragma once

#include "hearth/core/tensor.h"
#include "hearth/ops/activation.h"
#include "hearth/ops/clamp.h"
#include "hearth/ops/compare.h"
#include "hearth/ops/math.h"

namespace hearth {

// Shapes broadcast and dtypes promote as in PyTorch. Raises ShapeError when shapes do not fit.

/// x + alpha * y. Example: Tensor z = add(x, y); or z = x + y;
Tensor add(const Tensor& x, const Tensor& y);
Tensor add(const Tensor& x, const Tensor& y, const Scalar& alpha);
Tensor add(const Tensor& x, const Scalar& y);
/// x - alpha * y. Raises DtypeError for two bool tensors.
Tensor sub(const Tensor& x, const Tensor& y);
Tensor sub(const Tensor& x, const Tensor& y, const Scalar& alpha);
Tensor sub(const Tensor& x, const Scalar& y);
Tensor sub(const Scalar& x, const Tensor& y);
Tensor mul(const Tensor& x, const Tensor& y);
Tensor mul(const Tensor& x, const Scalar& y);

enum class Rounding : uint8_t { none, trunc, floor };
/// x / y. Without rounding integers give float32; with it they stay, and dividing one by zero raises ValueError.
Tensor div(const Tensor& x, const Tensor& y, Rounding rounding = Rounding::none);
Tensor div(const Tensor& x, const Scalar& y, Rounding rounding = Rounding::none);
Tensor div(const Scalar& x, const Tensor& y);
/// The quotient rounded down.
Tensor floor_divide(const Tensor& x, const Tensor& y);
Tensor floor_divide(const Tensor& x, const Scalar& y);
/// The remainder with the sign of y (Python's %).
Tensor remainder(const Tensor& x, const Tensor& y);
Tensor remainder(const Tensor& x, const Scalar& y);
/// The remainder with the sign of x (C's fmod).
Tensor fmod(const Tensor& x, const Tensor& y);
Tensor fmod(const Tensor& x, const Scalar& y);

/// x to the power y. The gradient at x = 0 is 0 where y is 0. Raises ValueError for integers to a negative number.
Tensor pow(const Tensor& x, const Tensor& y);
Tensor pow(const Tensor& x, const Scalar& y);
Tensor pow(const Scalar& x, const Tensor& y);

Tensor atan2(const Tensor& y, const Tensor& x);
Tensor hypot(const Tensor& x, const Tensor& y);
/// |x| with the sign of y.
Tensor copysign(const Tensor& x, const Tensor& y);
Tensor copysign(const Tensor& x, const Scalar& y);
/// log(exp(x) + exp(y)) without overflow.
Tensor logaddexp(const Tensor& x, const Tensor& y);
/// x log(y), 0 where x is 0 (NaN where y is NaN).
Tensor xlogy(const Tensor& x, const Tensor& y);

/// start + weight * (end - start).
Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight);
Tensor lerp(const Tensor& start, const Tensor& end, double weight);
/// x + value * a * b.
Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value = 1);
/// x + value * a / b.
Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value = 1);

// Bits of integers; bool is combined logically. Raises DtypeError for floats.
Tensor bitwise_and(const Tensor& x, const Tensor& y);
Tensor bitwise_or(const Tensor& x, const Tensor& y);
Tensor bitwise_xor(const Tensor& x, const Tensor& y);
Tensor bitwise_not(const Tensor& x);
/// Shifts by less than 0 or more than the width give 0, or -1 for a negative number shifted right.
Tensor bitwise_left_shift(const Tensor& x, const Tensor& y);
Tensor bitwise_right_shift(const Tensor& x, const Tensor& y);

// x = op(x, y) in place: the result must have x's shape and a dtype that x can hold, else ShapeError or DtypeError.
const Tensor& add_(const Tensor& x, const Tensor& y, const Scalar& alpha = 1);
const Tensor& add_(const Tensor& x, const Scalar& y);
const Tensor& sub_(const Tensor& x, const Tensor& y, const Scalar& alpha = 1);
const Tensor& sub_(const Tensor& x, const Scalar& y);
const Tensor& mul_(const Tensor& x, const Tensor& y);
const Tensor& mul_(const Tensor& x, const Scalar& y);
const Tensor& div_(const Tensor& x, const Tensor& y);
const Tensor& div_(const Tensor& x, const Scalar& y);
const Tensor& pow_(const Tensor& x, const Tensor& y);
const Tensor& pow_(const Tensor& x, const Scalar& y);
const Tensor& remainder_(const Tensor& x, const Tensor& y);
const Tensor& floor_divide_(const Tensor& x, const Tensor& y);
const Tensor& lerp_(const Tensor& x, const Tensor& end, double weight);
const Tensor& addcmul_(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value = 1);
const Tensor& addcdiv_(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& value = 1);

inline Tensor operator+(const Tensor& x, const Tensor& y) { return add(x, y); }
inline Tensor operator+(const Tensor& x, const Scalar& y) { return add(x, y); }
inline Tensor operator+(const Scalar& x, const Tensor& y) { return add(y, x); }
inline Tensor operator-(const Tensor& x, const Tensor& y) { return sub(x, y); }
inline Tensor operator-(const Tensor& x, const Scalar& y) { return sub(x, y); }
inline Tensor operator-(const Scalar& x, const Tensor& y) { return sub(x, y); }
inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator*(const Tensor& x, const Tensor& y) { return mul(x, y); }
inline Tensor operator*(const Tensor& x, const Scalar& y) { return mul(x, y); }
inline Tensor operator*(const Scalar& x, const Tensor& y) { return mul(y, x); }
inline Tensor operator/(const Tensor& x, const Tensor& y) { return div(x, y); }
inline Tensor operator/(const Tensor& x, const Scalar& y) { return div(x, y); }
inline Tensor operator/(const Scalar& x, const Tensor& y) { return div(x, y); }

}  // namespace hearth
