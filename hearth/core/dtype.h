// Dtype: the element types of a tensor, their sizes, names and categories.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string_view>

#include "hearth/core/half.h"

namespace hearth {

/// Order matters only inside a category: a wider type has a larger value (promote.h relies on it).
enum class Dtype : uint8_t {
  boolean,
  uint8,
  int8,
  int16,
  int32,
  int64,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
  complex128
};

inline constexpr int dtype_count = 15;

namespace detail {
inline constexpr size_t dtype_sizes[dtype_count] = {1, 1, 1, 2, 4, 8, 2, 4, 8, 2, 2, 4, 8, 8, 16};
}

/// Bytes of one element.
inline size_t dtype_size(Dtype dtype) { return detail::dtype_sizes[size_t(dtype)]; }

/// PyTorch's name without the `torch.` prefix, e.g. "float32", "bool".
std::string_view dtype_name(Dtype dtype);

/// The reverse of `dtype_name`. Raises ValueError for an unknown name.
Dtype dtype_from_name(std::string_view name);

/// Real floating types only; complex types are not among them.
inline bool is_floating(Dtype dtype) { return dtype >= Dtype::float16 && dtype <= Dtype::float64; }
inline bool is_complex(Dtype dtype) { return dtype >= Dtype::complex64; }
/// What gradients can flow through: floating and complex types.
inline bool is_differentiable(Dtype dtype) { return dtype >= Dtype::float16; }
inline bool is_integral(Dtype dtype) { return dtype >= Dtype::uint8 && dtype <= Dtype::uint64; }
inline bool is_unsigned(Dtype dtype) {
  return dtype == Dtype::uint8 || (dtype >= Dtype::uint16 && dtype <= Dtype::uint64);
}

/// The type of the real and imaginary parts of a complex type; any other type is its own.
inline Dtype real_type(Dtype dtype) {
  return dtype == Dtype::complex64 ? Dtype::float32 : dtype == Dtype::complex128 ? Dtype::float64 : dtype;
}

/// The complex type whose parts hold `dtype`: complex128 for float64, complex64 for what is narrower and for integers.
inline Dtype complex_type(Dtype dtype) {
  return dtype == Dtype::float64 || dtype == Dtype::complex128 ? Dtype::complex128 : Dtype::complex64;
}

std::ostream& operator<<(std::ostream& out, Dtype dtype);

namespace detail {
template <Dtype D>
struct DtypeConstant {
  static constexpr Dtype value = D;
};
}  // namespace detail

template <class T>
struct DtypeOf;
template <>
struct DtypeOf<bool> : detail::DtypeConstant<Dtype::boolean> {};
template <>
struct DtypeOf<uint8_t> : detail::DtypeConstant<Dtype::uint8> {};
template <>
struct DtypeOf<int8_t> : detail::DtypeConstant<Dtype::int8> {};
template <>
struct DtypeOf<int16_t> : detail::DtypeConstant<Dtype::int16> {};
template <>
struct DtypeOf<int32_t> : detail::DtypeConstant<Dtype::int32> {};
template <>
struct DtypeOf<int64_t> : detail::DtypeConstant<Dtype::int64> {};
template <>
struct DtypeOf<uint16_t> : detail::DtypeConstant<Dtype::uint16> {};
template <>
struct DtypeOf<uint32_t> : detail::DtypeConstant<Dtype::uint32> {};
template <>
struct DtypeOf<uint64_t> : detail::DtypeConstant<Dtype::uint64> {};
template <>
struct DtypeOf<float16> : detail::DtypeConstant<Dtype::float16> {};
template <>
struct DtypeOf<bfloat16> : detail::DtypeConstant<Dtype::bfloat16> {};
template <>
struct DtypeOf<float> : detail::DtypeConstant<Dtype::float32> {};
template <>
struct DtypeOf<double> : detail::DtypeConstant<Dtype::float64> {};
template <>
struct DtypeOf<std::complex<float>> : detail::DtypeConstant<Dtype::complex64> {};
template <>
struct DtypeOf<std::complex<double>> : detail::DtypeConstant<Dtype::complex128> {};

/// The Dtype of a C++ element type: dtype_of<float> == Dtype::float32.
template <class T>
inline constexpr Dtype dtype_of = DtypeOf<T>::value;

}  // namespace hearth
