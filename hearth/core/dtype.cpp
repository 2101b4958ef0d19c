// Dtype names.
#include "hearth/core/dtype.h"

#include <ostream>

#include "hearth/core/error.h"

namespace hearth {

namespace {
constexpr std::string_view names[dtype_count] = {"bool",     "uint8",   "int8",    "int16",     "int32",
                                                 "int64",    "uint16",  "uint32",  "uint64",    "float16",
                                                 "bfloat16", "float32", "float64", "complex64", "complex128"};
}

std::string_view dtype_name(Dtype dtype) { return names[size_t(dtype)]; }

Dtype dtype_from_name(std::string_view name) {
  for (int i = 0; i < dtype_count; ++i)
    if (names[i] == name) return Dtype(i);
  fail<ValueError>("dtype: unknown name: '", name, "'");
}

std::ostream& operator<<(std::ostream& out, Dtype dtype) { return out << dtype_name(dtype); }

}  // namespace hearth
