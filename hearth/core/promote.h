// Type promotion as PyTorch defines it: dimensioned tensors outrank 0-dim tensors, which outrank plain numbers.
#pragma once

#include <complex>
#include <variant>

#include "hearth/core/dtype.h"

namespace hearth {

class Tensor;

/// A plain number (not a tensor): bool, integer, double or complex<double>.
class Scalar {
 public:
  Scalar(bool value) : value_(value) {}
  Scalar(int value) : value_(int64_t(value)) {}
  Scalar(int64_t value) : value_(value) {}
  Scalar(float value) : value_(double(value)) {}
  /// Above the largest int64 the number stays unsigned; below, it is an int64 like any other integer.
  Scalar(uint64_t value) : value_(int64_t(value)) {
    if (value >> 63) value_ = value;
  }
  Scalar(double value) : value_(value) {}
  Scalar(std::complex<double> value) : value_(value) {}

  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integral() const {
    return std::holds_alternative<int64_t>(value_) || std::holds_alternative<uint64_t>(value_);
  }
  bool is_floating() const { return std::holds_alternative<double>(value_); }
  bool is_complex() const { return std::holds_alternative<std::complex<double>>(value_); }

  /// As a real number. Raises DtypeError for a complex number whose imaginary part is not 0.
  double to_double() const;
  /// As an integer, truncated; unsigned numbers wrap. Raises DtypeError as `to_double`.
  int64_t to_int64() const;
  std::complex<double> to_complex() const;

  /// The dtype that a 0-dim tensor made of this number has: bool, int64 (uint64 above its range), the default floating
  /// type or the complex type of it.
  Dtype dtype() const;

 private:
  std::variant<bool, int64_t, double, uint64_t, std::complex<double>> value_;
};

/// The smallest dtype that holds both (PyTorch's lattice): uint8 with a signed type widens, float16 with bfloat16 is
/// float32, float64 with complex64 is complex128. Raises DtypeError for uint16, uint32 or uint64 beside another
/// integral type, bool or complex, as PyTorch does.
Dtype promote_types(Dtype a, Dtype b);

/// The dtype of `a op b`. A 16-bit float beside a weaker complex operand gives complex64, because there is no
/// narrower complex type. Raises DtypeError as `promote_types`.
Dtype result_type(const Tensor& a, const Tensor& b);
Dtype result_type(const Tensor& a, const Scalar& b);

}  // namespace hearth
