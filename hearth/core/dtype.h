// Dtype: the element types of a tensor, their sizes, names and categories.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string_view>

#include "hearth/core/half.h"

namespace hearth {

/// Order matters only inside a category: a wider type has a larger value (promote.h relies on it).
enum class Dtype : uint8_t { boolean, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64 };

inline constexpr int dtype_count = 10;

namespace detail {
inline constexpr size_t dtype_sizes[dtype_count] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
}

/// Bytes of one element.
inline size_t dtype_size(Dtype dtype) { return detail::dtype_sizes[size_t(dtype)]; }

/// PyTorch's name without the `torch.` prefix, e.g. "float32", "bool".
std::string_view dtype_name(Dtype dtype);

/// The reverse of `dtype_name`. Raises ValueError for an unknown name.
Dtype dtype_from_name(std::string_view name);

inline bool is_floating(Dtype dtype) { return dtype >= Dtype::float16; }
inline bool is_integral(Dtype dtype) { return dtype >= Dtype::uint8 && dtype <= Dtype::int64; }

std::ostream& operator<<(std::ostream& out, Dtype dtype);

template <class T>
struct DtypeOf;
template <>
struct DtypeOf<bool> {
  static constexpr Dtype value = Dtype::boolean;
};
template <>
struct DtypeOf<uint8_t> {
  static constexpr Dtype value = Dtype::uint8;
};
template <>
struct DtypeOf<int8_t> {
  static constexpr Dtype value = Dtype::int8;
};
template <>
struct DtypeOf<int16_t> {
  static constexpr Dtype value = Dtype::int16;
};
template <>
struct DtypeOf<int32_t> {
  static constexpr Dtype value = Dtype::int32;
};
template <>
struct DtypeOf<int64_t> {
  static constexpr Dtype value = Dtype::int64;
};
template <>
struct DtypeOf<float16> {
  static constexpr Dtype value = Dtype::float16;
};
template <>
struct DtypeOf<bfloat16> {
  static constexpr Dtype value = Dtype::bfloat16;
};
template <>
struct DtypeOf<float> {
  static constexpr Dtype value = Dtype::float32;
};
template <>
struct DtypeOf<double> {
  static constexpr Dtype value = Dtype::float64;
};

/// The Dtype of a C++ element type: dtype_of<float> == Dtype::float32.
template <class T>
inline constexpr Dtype dtype_of = DtypeOf<T>::value;

}  // namespace hearth
