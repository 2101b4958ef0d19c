// linalg_batch: runs a LAPACK function over a batch of column-major matrices.
#pragma once

#include <cmath>

#include "hearth/backend/cpu/lapack.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"
#include "hearth/core/tensor.h"

namespace hearth::cpu {

using LapackTypes = Types<float, double, std::complex<float>, std::complex<double>>;

/// Column-major matrices [batch, columns, rows] as LAPACK wants them. T: the element type.
template <class T>
struct Matrices {
  T* data = nullptr;
  int rows = 0, columns = 0;
  int64_t size = 0;  ///< elements of one

  Matrices() = default;
  explicit Matrices(const Tensor& x) {
    if (!x.defined()) return;
    check<ShapeError>(x.size(1) < INT32_MAX && x.size(2) < INT32_MAX, "linalg: matrix is too large: ", x.shape());
    data = static_cast<T*>(x.raw());
    rows = int(x.size(2));
    columns = int(x.size(1));
    size = x.size(1) * x.size(2);
  }
  T* operator[](int64_t i) const { return data ? data + i * size : nullptr; }
  /// LAPACK's leading dimension, at least 1.
  int ld() const { return rows > 1 ? rows : 1; }
  bool empty() const { return size == 0; }
};

/// What LAPACK returned, once it is known that it had memory to work with.
inline int checked_info(const char* op, int info) {
  check<OutOfMemoryError>(info > Lapack<float>::no_memory, op, ": LAPACK found no memory for its work");
  return info;
}

/// Calls f(i) for each of `batch` matrices, `work` multiplications each, side by side where they are small.
template <class F>
void each_matrix(int64_t batch, double work, F f) {
  const auto grain = int64_t(std::max(1.0, std::min(1e9, 1e5 / std::max(work, 1.0))));
  parallel_for(0, batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

template <class T>
bool all_finite(const T* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (is_complex_number<T>) {
      if (!std::isfinite(values[i].real()) || !std::isfinite(values[i].imag())) return false;
    } else if (!std::isfinite(values[i])) {
      return false;
    }
  }
  return true;
}

inline double cube(double a, double b, double c) { return a * b * c; }

}  // namespace hearth::cpu
