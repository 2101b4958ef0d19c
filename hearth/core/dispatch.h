// dispatch: calls a templated lambda with the C++ type of a Dtype; used by backends only.
#pragma once

#include "hearth/core/dtype.h"
#include "hearth/core/error.h"

namespace hearth {

template <class... Ts>
struct Types {};

using FloatTypes = Types<float, double, bfloat16, float16>;
using ComplexTypes = Types<std::complex<float>, std::complex<double>>;
using IntegerTypes = Types<int64_t, int32_t, int16_t, int8_t, uint8_t, uint16_t, uint32_t, uint64_t>;
/// What has an order: all but complex numbers.
using RealTypes = Types<float, double, bfloat16, float16, int64_t, int32_t, int16_t, int8_t, uint8_t, uint16_t,
                        uint32_t, uint64_t, bool>;
using AllTypes = Types<float, double, bfloat16, float16, int64_t, int32_t, int16_t, int8_t, uint8_t, uint16_t, uint32_t,
                       uint64_t, bool, std::complex<float>, std::complex<double>>;

/// Calls `f.template operator()<T>()` for the T that `dtype` names. Raises DtypeError naming `op` and the accepted
/// types. Example: dispatch(FloatTypes{}, x.dtype(), "softmax", [&]<class T>() { row(x.data<T>()); });
template <class... Ts, class F>
inline void dispatch(Types<Ts...>, Dtype dtype, const char* op, F&& f) {
  const bool found = ((dtype == dtype_of<Ts> ? (f.template operator()<Ts>(), true) : false) || ...);
  if (!found) [[unlikely]] {
    std::ostringstream expected;
    ((expected << ' ' << dtype_of<Ts>), ...);
    fail<DtypeError>(op, ": dtype ", dtype, " is not supported; expected one of:", expected.str());
  }
}

}  // namespace hearth
