// Type promotion as PyTorch defines it: dimensioned tensors outrank 0-dim tensors, which outrank plain numbers.
#pragma once

#include <variant>

#include "hearth/core/dtype.h"

namespace hearth {

class Tensor;

/// A plain number (not a tensor): bool, int64 or double.
class Scalar {
 public:
  Scalar(bool value) : value_(value) {}
  Scalar(int value) : value_(int64_t(value)) {}
  Scalar(int64_t value) : value_(value) {}
  Scalar(float value) : value_(double(value)) {}
  Scalar(double value) : value_(value) {}

  bool is_floating() const { return std::holds_alternative<double>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  double to_double() const {
    return std::visit([](auto v) { return double(v); }, value_);
  }
  int64_t to_int64() const {
    return std::visit([](auto v) { return int64_t(v); }, value_);
  }

  /// The dtype that a 0-dim tensor made of this number has: bool, int64 or the default float32.
  Dtype dtype() const { return is_floating() ? Dtype::float32 : is_bool() ? Dtype::boolean : Dtype::int64; }

 private:
  std::variant<bool, int64_t, double> value_;
};

/// The smallest dtype that holds both (PyTorch's lattice): uint8 with a signed type widens, float16 with bfloat16 is
/// float32.
Dtype promote_types(Dtype a, Dtype b);

/// The dtype of `a op b`.
Dtype result_type(const Tensor& a, const Tensor& b);
Dtype result_type(const Tensor& a, const Scalar& b);

}  // namespace hearth
