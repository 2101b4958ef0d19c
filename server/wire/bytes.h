// Arrays of numbers in bytes: little-endian, whatever the machine's order.
#pragma once

#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/core/error.h"

namespace hearth::server {

static_assert(std::endian::native == std::endian::little, "the wire's arrays are copied as they stand");

/// The numbers in `bytes`. Raises ValueError (beginning with `where`) when their size is no multiple of T's.
template <class T>
std::vector<T> numbers_of(std::string_view bytes, const std::string& where) {
  check<ValueError>(bytes.size() % sizeof(T) == 0, where, ": ", bytes.size(), " bytes are no whole number of ",
                    sizeof(T), "-byte values");
  std::vector<T> numbers(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

/// The bytes of numbers.
template <class T>
std::string bytes_of(std::span<const T> numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
}
template <class T>
std::string bytes_of(const std::vector<T>& numbers) {
  return bytes_of(std::span<const T>(numbers));
}

}  // namespace hearth::server
