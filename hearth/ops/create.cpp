// Creation: tensors from nothing, from numbers, from C++ memory; clone, cast and contiguous.
#include "hearth/ops/create.h"

#include <cmath>
#include <cstring>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"

namespace hearth {

Tensor full(const Shape& shape, const Scalar& value, Dtype dtype, Device device) {
  Tensor x = Tensor::empty(shape, dtype, device);
  kernels::fill(device, x, value);
  return x;
}

Tensor zeros(const Shape& shape, Dtype dtype, Device device) { return full(shape, 0, dtype, device); }
Tensor ones(const Shape& shape, Dtype dtype, Device device) { return full(shape, 1, dtype, device); }
Tensor empty_like(const Tensor& x) { return Tensor::empty(x.shape(), x.dtype(), x.device()); }
Tensor zeros_like(const Tensor& x) { return zeros(x.shape(), x.dtype(), x.device()); }
Tensor ones_like(const Tensor& x) { return ones(x.shape(), x.dtype(), x.device()); }
Tensor full_like(const Tensor& x, const Scalar& value) { return full(x.shape(), value, x.dtype(), x.device()); }
Tensor scalar_tensor(const Scalar& value) { return full({}, value, value.dtype()); }
Tensor scalar_tensor(const Scalar& value, Dtype dtype) { return full({}, value, dtype); }

template <class T>
Tensor from_values(std::span<const T> values, const Shape& shape) {
  check<ShapeError>(checked_numel("from_values", shape) == int64_t(values.size()),
                    "from_values: count does not fit the shape: ", values.size(), " values, shape ", shape);
  Tensor x = Tensor::empty(shape, dtype_of<T>);
  if (!values.empty()) std::memcpy(x.raw(), values.data(), values.size_bytes());
  return x;
}
template Tensor from_values(std::span<const float>, const Shape&);
template Tensor from_values(std::span<const double>, const Shape&);
template Tensor from_values(std::span<const bfloat16>, const Shape&);
template Tensor from_values(std::span<const float16>, const Shape&);
template Tensor from_values(std::span<const int64_t>, const Shape&);
template Tensor from_values(std::span<const int32_t>, const Shape&);
template Tensor from_values(std::span<const int16_t>, const Shape&);
template Tensor from_values(std::span<const int8_t>, const Shape&);
template Tensor from_values(std::span<const uint8_t>, const Shape&);
template Tensor from_values(std::span<const uint16_t>, const Shape&);
template Tensor from_values(std::span<const uint32_t>, const Shape&);
template Tensor from_values(std::span<const uint64_t>, const Shape&);
template Tensor from_values(std::span<const bool>, const Shape&);
template Tensor from_values(std::span<const std::complex<float>>, const Shape&);
template Tensor from_values(std::span<const std::complex<double>>, const Shape&);

Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, Dtype dtype) {
  check<DtypeError>(!is_complex(dtype), "arange: complex numbers have no order: ", dtype);
  const double by = step.to_double();
  check<ValueError>(by != 0, "arange: step must not be zero");
  const double count = std::ceil((end.to_double() - start.to_double()) / by);
  check<ValueError>(count >= 0, "arange: step leads away from end: start ", start.to_double(), ", end ",
                    end.to_double(), ", step ", by);
  Tensor wide = Tensor::empty({int64_t(count)}, is_floating(dtype) ? Dtype::float64 : Dtype::int64);
  for (int64_t i = 0; i < wide.numel(); ++i) {
    if (is_floating(dtype))
      wide.data<double>()[i] = start.to_double() + double(i) * by;
    else
      wide.data<int64_t>()[i] = start.to_int64() + i * step.to_int64();
  }
  return to(wide, dtype);
}

Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step) {
  const bool floating = start.is_floating() || end.is_floating() || step.is_floating();
  return arange(start, end, step, floating ? Dtype::float32 : Dtype::int64);
}

Tensor linspace(double start, double end, int64_t steps, Dtype dtype) {
  check<ValueError>(steps >= 0, "linspace: steps must not be negative: ", steps);
  Tensor wide = Tensor::empty({steps}, Dtype::float64);
  const double by = steps > 1 ? (end - start) / double(steps - 1) : 0;
  // Counting from both ends, as PyTorch does, makes the last element exactly `end`.
  for (int64_t i = 0; i < steps; ++i)
    wide.data<double>()[i] = i < steps / 2 || steps == 1 ? start + by * double(i) : end - by * double(steps - 1 - i);
  return to(wide, dtype);
}

Tensor eye(int64_t rows, int64_t columns, Dtype dtype) {
  Tensor x = zeros({rows, columns}, dtype);
  const int64_t n = std::min(rows, columns);
  if (n) kernels::fill(x.device(), x.alias({n}, {columns + 1}, 0), 1);
  return x;
}

Tensor clone(const Tensor& x) {
  Tensor y = empty_like(x);
  kernels::copy(x.device(), y, x);
  if (!needs_grad(x)) return y;
  return record("clone", y, {x}, [](const GradContext& c) -> Grads { return {c.dy()}; });
}

Tensor contiguous(const Tensor& x) { return x.is_contiguous() ? x : clone(x); }

Tensor to(const Tensor& x, Dtype dtype) {
  if (x.dtype() == dtype) return x;
  Tensor y = Tensor::empty(x.shape(), dtype, x.device());
  kernels::copy(x.device(), y, x);
  if (!is_differentiable(dtype) || !needs_grad(x)) return y;
  return record("to", y, {x}, [from = x.dtype()](const GradContext& c) -> Grads { return {to(c.dy(), from)}; });
}

template <class T>
std::vector<T> to_vector(const Tensor& x) {
  NoGrad guard;
  const Tensor flat = contiguous(to(x, dtype_of<T>));
  const T* data = flat.data<T>();
  return std::vector<T>(data, data + flat.numel());
}
template std::vector<float> to_vector(const Tensor&);
template std::vector<double> to_vector(const Tensor&);
template std::vector<int64_t> to_vector(const Tensor&);
template std::vector<int32_t> to_vector(const Tensor&);
template std::vector<uint8_t> to_vector(const Tensor&);
template std::vector<uint64_t> to_vector(const Tensor&);
template std::vector<std::complex<float>> to_vector(const Tensor&);
template std::vector<std::complex<double>> to_vector(const Tensor&);

}  // namespace hearth
