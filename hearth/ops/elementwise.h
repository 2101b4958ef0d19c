// Element-wise ops: arithmetic and functions of one or two tensors, with broadcasting and type promotion.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// x + alpha * y, broadcast; the dtype follows PyTorch's promotion. Raises ShapeError.
/// Example: Tensor z = add(x, y); or z = x + y;
Tensor add(const Tensor& x, const Tensor& y);
Tensor add(const Tensor& x, const Scalar& y);
Tensor sub(const Tensor& x, const Tensor& y);
Tensor sub(const Tensor& x, const Scalar& y);
Tensor mul(const Tensor& x, const Tensor& y);
Tensor mul(const Tensor& x, const Scalar& y);
/// True division: integers give float32.
Tensor div(const Tensor& x, const Tensor& y);
Tensor div(const Tensor& x, const Scalar& y);
Tensor pow(const Tensor& x, const Tensor& y);
Tensor pow(const Tensor& x, const Scalar& y);

Tensor neg(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor relu(const Tensor& x);

const Tensor& add_(const Tensor& x, const Tensor& y);
const Tensor& mul_(const Tensor& x, const Tensor& y);
const Tensor& mul_(const Tensor& x, const Scalar& y);

inline Tensor operator+(const Tensor& x, const Tensor& y) { return add(x, y); }
inline Tensor operator+(const Tensor& x, const Scalar& y) { return add(x, y); }
inline Tensor operator-(const Tensor& x, const Tensor& y) { return sub(x, y); }
inline Tensor operator-(const Tensor& x, const Scalar& y) { return sub(x, y); }
inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator*(const Tensor& x, const Tensor& y) { return mul(x, y); }
inline Tensor operator*(const Tensor& x, const Scalar& y) { return mul(x, y); }
inline Tensor operator/(const Tensor& x, const Tensor& y) { return div(x, y); }
inline Tensor operator/(const Tensor& x, const Scalar& y) { return div(x, y); }

}  // namespace hearth
