// Creation: tensors from nothing, from numbers, from C++ memory; clone, cast and contiguous.
#pragma once

#include <span>

#include "hearth/core/tensor.h"

namespace hearth {

inline Tensor empty(const Shape& shape, Dtype dtype = Dtype::float32, Device device = {}) {
  return Tensor::empty(shape, dtype, device);
}
Tensor zeros(const Shape& shape, Dtype dtype = Dtype::float32, Device device = {});
Tensor ones(const Shape& shape, Dtype dtype = Dtype::float32, Device device = {});
Tensor full(const Shape& shape, const Scalar& value, Dtype dtype = Dtype::float32, Device device = {});
Tensor empty_like(const Tensor& x);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
Tensor full_like(const Tensor& x, const Scalar& value);

/// A 0-dim tensor; its dtype is the number's (bool, int64, float32) unless given.
Tensor scalar_tensor(const Scalar& value);
Tensor scalar_tensor(const Scalar& value, Dtype dtype);

/// Copies C++ memory. Raises ShapeError when the count does not fit the shape.
/// Example: Tensor x = from_values<float>({1, 2, 3, 4}, {2, 2});
template <class T>
Tensor from_values(std::span<const T> values, const Shape& shape);
template <class T>
Tensor from_values(std::initializer_list<T> values, const Shape& shape) {
  return from_values<T>(std::span<const T>(values.begin(), values.size()), shape);
}
template <class T>
Tensor from_values(std::initializer_list<T> values) {
  return from_values<T>(values, {int64_t(values.size())});
}

/// start, start + step, ... below end. Raises ValueError when step is 0 or leads away from end.
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step = 1);
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, Dtype dtype);
/// `steps` evenly spaced numbers from start to end, both included.
Tensor linspace(double start, double end, int64_t steps, Dtype dtype = Dtype::float32);
Tensor eye(int64_t rows, int64_t columns, Dtype dtype = Dtype::float32);

/// A contiguous copy; differentiable.
Tensor clone(const Tensor& x);
/// x itself when it is contiguous, else a contiguous copy.
Tensor contiguous(const Tensor& x);
/// x itself when it has the dtype, else a converted copy; differentiable between floating and complex types. A real
/// type keeps the real part of a complex number; bool tells whether it is not 0.
Tensor to(const Tensor& x, Dtype dtype);

/// All elements in row-major order, converted to T.
template <class T>
std::vector<T> to_vector(const Tensor& x);

}  // namespace hearth
