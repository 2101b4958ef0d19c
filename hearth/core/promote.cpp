// Type promotion: the lattice and the three categories.
#include "hearth/core/promote.h"

#include <algorithm>

#include "hearth/core/default_dtype.h"
#include "hearth/core/tensor.h"

namespace hearth {

namespace {

enum class Category { boolean, integral, floating, complex };

Category category(Dtype dtype) {
  if (dtype == Dtype::boolean) return Category::boolean;
  if (is_complex(dtype)) return Category::complex;
  return is_floating(dtype) ? Category::floating : Category::integral;
}

/// Unsigned types that PyTorch combines with themselves and with floats only.
bool is_wide_unsigned(Dtype dtype) { return is_unsigned(dtype) && dtype != Dtype::uint8; }

/// An operand of lower priority changes the dtype only when its category is higher.
Dtype combine(Dtype strong, Dtype weak) {
  if (category(weak) <= category(strong)) return strong;
  return is_complex(weak) && is_floating(strong) ? complex_type(strong) : weak;
}

}  // namespace

double Scalar::to_double() const {
  return std::visit(
      []<class T>(T v) -> double {
        if constexpr (std::is_same_v<T, std::complex<double>>) {
          check<DtypeError>(v.imag() == 0, "scalar: a complex number where a real one is needed: ", v);
          return v.real();
        } else {
          return double(v);
        }
      },
      value_);
}

int64_t Scalar::to_int64() const {
  return std::visit(
      [this]<class T>(T v) -> int64_t {
        if constexpr (std::is_same_v<T, std::complex<double>>)
          return int64_t(to_double());
        else
          return int64_t(v);
      },
      value_);
}

std::complex<double> Scalar::to_complex() const {
  return is_complex() ? std::get<std::complex<double>>(value_) : to_double();
}

Dtype Scalar::dtype() const {
  const Dtype dtypes[] = {Dtype::boolean, Dtype::int64, default_dtype(), Dtype::uint64, complex_type(default_dtype())};
  return dtypes[value_.index()];
}

Dtype promote_types(Dtype a, Dtype b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  check<DtypeError>(is_floating(b) || !(is_wide_unsigned(a) || is_wide_unsigned(b)),
                    "promote: uint16, uint32 and uint64 combine with themselves and floats only: ", a, " and ", b);
  if (is_complex(b) && is_floating(a)) return std::max(complex_type(a), b);
  if (category(a) != category(b)) return b;
  if (a == Dtype::uint8 && b == Dtype::int8) return Dtype::int16;
  if (a == Dtype::float16 && b == Dtype::bfloat16) return Dtype::float32;
  return b;
}

Dtype result_type(const Tensor& a, const Tensor& b) {
  if ((a.dim() == 0) == (b.dim() == 0)) return promote_types(a.dtype(), b.dtype());
  return a.dim() != 0 ? combine(a.dtype(), b.dtype()) : combine(b.dtype(), a.dtype());
}

Dtype result_type(const Tensor& a, const Scalar& b) { return combine(a.dtype(), b.dtype()); }

}  // namespace hearth
