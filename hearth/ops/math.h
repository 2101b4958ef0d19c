// Functions of one tensor, element by element.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

// These keep integers as they are. Raises DtypeError for bool in neg.
Tensor neg(const Tensor& x);
/// |x|, of the real type for complex numbers; the gradient at 0 is 0.
Tensor abs(const Tensor& x);
/// -1, 0 or 1 (0 for NaN).
Tensor sign(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor floor(const Tensor& x);
/// To the nearest whole number, halves to the even one; `decimals` digits behind the point are kept.
Tensor round(const Tensor& x, int64_t decimals = 0);
Tensor trunc(const Tensor& x);
/// x - trunc(x); floating only.
Tensor frac(const Tensor& x);
Tensor square(const Tensor& x);

// These make float32 of integers and bool.
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor exp2(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor asinh(const Tensor& x);
Tensor acosh(const Tensor& x);
Tensor atanh(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor erfc(const Tensor& x);
Tensor erfinv(const Tensor& x);
/// log |gamma(x)|.
Tensor lgamma(const Tensor& x);
/// The derivative of lgamma.
Tensor digamma(const Tensor& x);
/// The derivative of digamma; without a gradient of its own (NotImplementedError).
Tensor trigamma(const Tensor& x);
Tensor sigmoid(const Tensor& x);
/// log(x / (1 - x)); with eps >= 0 x is clamped to [eps, 1 - eps] first.
Tensor logit(const Tensor& x, double eps = -1);

// x = f(x) in place; x must be floating where f makes floats.
const Tensor& neg_(const Tensor& x);
const Tensor& abs_(const Tensor& x);
const Tensor& sqrt_(const Tensor& x);
const Tensor& rsqrt_(const Tensor& x);
const Tensor& reciprocal_(const Tensor& x);
const Tensor& exp_(const Tensor& x);
const Tensor& log_(const Tensor& x);
const Tensor& tanh_(const Tensor& x);
const Tensor& sigmoid_(const Tensor& x);
const Tensor& square_(const Tensor& x);
const Tensor& floor_(const Tensor& x);
const Tensor& ceil_(const Tensor& x);
const Tensor& round_(const Tensor& x);
const Tensor& trunc_(const Tensor& x);
const Tensor& erfinv_(const Tensor& x);

}  // namespace hearth
