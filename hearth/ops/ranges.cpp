// Ranges: filled on the CPU in float64 (or complex128) and converted once.
#include "hearth/ops/ranges.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "hearth/ops/create.h"

namespace hearth {

namespace {

void check_steps(const char* op, int64_t steps) {
  check<ValueError>(steps >= 0, op, ": number of steps must be non-negative: ", steps);
}

/// Number i of `steps` between two ends, counted from the nearer one, so that the last is exactly `end`.
template <class T>
T between(T start, T end, int64_t steps, int64_t i) {
  if (steps == 1) return start;
  const T by = (end - start) / T(double(steps - 1));
  return i < steps / 2 ? start + by * T(double(i)) : end - by * T(double(steps - 1 - i));
}

/// Truncated for an integral dtype, as if it had been stored there.
double stored(const Scalar& number, Dtype dtype) {
  return is_differentiable(dtype) ? number.to_double() : double(number.to_int64());
}

template <class F>
Tensor computed(const Scalar& start, const Scalar& end, int64_t steps, Dtype dtype, F f) {
  if (is_complex(dtype)) {
    Tensor wide = Tensor::empty({steps}, Dtype::complex128);
    for (int64_t i = 0; i < steps; ++i)
      wide.data<std::complex<double>>()[i] = f(between(start.to_complex(), end.to_complex(), steps, i));
    return to(wide, dtype);
  }
  Tensor wide = Tensor::empty({steps}, Dtype::float64);
  const double from = stored(start, dtype), last = stored(end, dtype);
  for (int64_t i = 0; i < steps; ++i) wide.data<double>()[i] = f(between(from, last, steps, i));
  return to(wide, dtype);
}

}  // namespace

Tensor ramp(double start, double step, int64_t count, Dtype dtype) {
  Tensor wide = Tensor::empty({count}, Dtype::float64);
  for (int64_t i = 0; i < count; ++i) wide.data<double>()[i] = start + double(i) * step;
  return to(wide, dtype);
}

Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, Dtype dtype) {
  check_steps("linspace", steps);
  return computed(start, end, steps, dtype, [](auto x) { return x; });
}

Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, Dtype dtype) {
  check_steps("logspace", steps);
  return computed(start, end, steps, dtype, [base](auto x) { return std::pow(decltype(x)(base), x); });
}

Tensor triangle_indices(int64_t rows, int64_t columns, int64_t offset, bool lower, Dtype dtype) {
  const char* op = lower ? "tril_indices" : "triu_indices";
  check<ValueError>(rows >= 0 && columns >= 0, op, ": sizes must be non-negative, got ", rows, " and ", columns);
  check<DtypeError>(dtype == Dtype::int64 || dtype == Dtype::int32, op, ": not implemented for ", dtype);
  std::vector<int64_t> places[2];
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t edge = std::clamp(r + offset + (lower ? 1 : 0), int64_t(0), columns);
    for (int64_t c = lower ? 0 : edge; c < (lower ? edge : columns); ++c) {
      places[0].push_back(r);
      places[1].push_back(c);
    }
  }
  const int64_t count = int64_t(places[0].size());
  Tensor found = Tensor::empty({2, count}, Dtype::int64);
  for (int k = 0; k < 2; ++k) std::copy(places[k].begin(), places[k].end(), found.data<int64_t>() + k * count);
  return to(found, dtype);
}

Tensor empty_strided(const Shape& shape, const Shape& strides, Dtype dtype) {
  check<ShapeError>(shape.size() == strides.size(), "empty_strided: dimensionality of sizes (", shape.size(),
                    ") must match dimensionality of strides (", strides.size(), ")");
  int64_t extent = 1;
  for (int d = 0; d < shape.size(); ++d) {
    check<ShapeError>(shape[d] >= 0 && strides[d] >= 0,
                      "empty_strided: sizes and strides must not be negative: ", shape, ", ", strides);
    int64_t reach = 0;
    const bool fits = !__builtin_mul_overflow(std::max<int64_t>(shape[d] - 1, 0), strides[d], &reach) &&
                      !__builtin_add_overflow(extent, reach, &extent);
    check<ShapeError>(fits, "empty_strided: too large: ", shape, ", ", strides);
  }
  for (int64_t size : shape)
    if (size == 0) extent = 0;
  return Tensor::empty({extent}, dtype).alias(shape, strides, 0);
}

Tensor empty_permuted(const Shape& shape, const Shape& layout, Dtype dtype) {
  const int dims = shape.size();
  check<ShapeError>(layout.size() == dims,
                    "empty_permuted: Number of dimensions in size does not match the length of "
                    "the physical_layout: ",
                    shape, ", ", layout);
  Shape sizes, seen(dims, 0), strides(dims, 0);
  for (int64_t d : layout) {
    check<ShapeError>(d >= 0 && d < dims, "empty_permuted: Dimension out of range (expected to be between 0 and ",
                      dims - 1, ", but got ", d, "): layout ", layout);
    check<ShapeError>(!seen[int(d)], "empty_permuted: Duplicate dim not allowed: layout ", layout);
    seen[int(d)] = 1;
    sizes.push_back(shape[int(d)]);
  }
  const Tensor flat = Tensor::empty(sizes, dtype);
  for (int i = 0; i < dims; ++i) strides[int(layout[i])] = flat.strides()[i];
  return flat.alias(shape, strides, 0);
}

}  // namespace hearth
