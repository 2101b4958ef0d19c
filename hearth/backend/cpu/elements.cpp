// Elements: one loop per storage type, with 16-bit floats converted by the vector functions.
#include "hearth/backend/cpu/elements.h"

#include <cstring>

#include "hearth/backend/cpu/isa.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

namespace {

const HalfConversion& half_conversion() {
  switch (isa()) {
    case Isa::avx512:
      return avx512::half_conversion;
    case Isa::avx2:
      return avx2::half_conversion;
    case Isa::generic:
      break;
  }
  return generic::half_conversion;
}

template <class C>
struct StorageTypes;
template <>
struct StorageTypes<float> {
  using type = Types<float, bfloat16, float16>;
};
template <>
struct StorageTypes<double> {
  using type = Types<double>;
};
template <>
struct StorageTypes<int64_t> {
  // uint64 keeps its bits: a loop that minds the sign computes in uint64_t.
  using type = Types<int64_t, int32_t, int16_t, int8_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>;
};
template <>
struct StorageTypes<uint64_t> {
  using type = Types<uint64_t>;
};
template <>
struct StorageTypes<std::complex<float>> {
  using type = Types<std::complex<float>>;
};
template <>
struct StorageTypes<std::complex<double>> {
  using type = Types<std::complex<double>>;
};

template <class C, class T>
void load_typed(C* buffer, const char* p, int64_t stride, int64_t n) {
  if (stride == 0) {
    std::fill_n(buffer, n, C(*reinterpret_cast<const T*>(p)));
  } else if (stride == sizeof(T)) {
    const T* x = reinterpret_cast<const T*>(p);
    if constexpr (std::is_same_v<C, T>)
      std::memcpy(buffer, x, size_t(n) * sizeof(T));
    else if constexpr (std::is_same_v<T, bfloat16>)
      half_conversion().from_bf16(buffer, reinterpret_cast<const uint16_t*>(p), n);
    else if constexpr (std::is_same_v<T, float16>)
      half_conversion().from_f16(buffer, reinterpret_cast<const uint16_t*>(p), n);
    else
      for (int64_t i = 0; i < n; ++i) buffer[i] = C(x[i]);
  } else {
    for (int64_t i = 0; i < n; ++i, p += stride) buffer[i] = C(*reinterpret_cast<const T*>(p));
  }
}

template <class T, class C>
T narrowed(C value) {
  if constexpr (std::is_same_v<T, bool>)
    return value != 0;
  else
    return T(value);
}

template <class C, class T>
void store_typed(char* p, int64_t stride, const C* buffer, int64_t n) {
  if (stride == sizeof(T)) {
    T* y = reinterpret_cast<T*>(p);
    if constexpr (std::is_same_v<C, T>)
      std::memcpy(y, buffer, size_t(n) * sizeof(T));
    else if constexpr (std::is_same_v<T, bfloat16>)
      half_conversion().to_bf16(reinterpret_cast<uint16_t*>(p), buffer, n);
    else if constexpr (std::is_same_v<T, float16>)
      half_conversion().to_f16(reinterpret_cast<uint16_t*>(p), buffer, n);
    else
      for (int64_t i = 0; i < n; ++i) y[i] = narrowed<T>(buffer[i]);
  } else {
    for (int64_t i = 0; i < n; ++i, p += stride) *reinterpret_cast<T*>(p) = narrowed<T>(buffer[i]);
  }
}

}  // namespace

template <class C>
void load_elements(C* buffer, const char* p, int64_t stride, int64_t n, Dtype dtype) {
  dispatch(typename StorageTypes<C>::type{}, dtype, "load_elements",
           [&]<class T>() { load_typed<C, T>(buffer, p, stride, n); });
}
template void load_elements(float*, const char*, int64_t, int64_t, Dtype);
template void load_elements(double*, const char*, int64_t, int64_t, Dtype);
template void load_elements(int64_t*, const char*, int64_t, int64_t, Dtype);
template void load_elements(uint64_t*, const char*, int64_t, int64_t, Dtype);
template void load_elements(std::complex<float>*, const char*, int64_t, int64_t, Dtype);
template void load_elements(std::complex<double>*, const char*, int64_t, int64_t, Dtype);

template <class C>
void store_elements(char* p, int64_t stride, const C* buffer, int64_t n, Dtype dtype) {
  dispatch(typename StorageTypes<C>::type{}, dtype, "store_elements",
           [&]<class T>() { store_typed<C, T>(p, stride, buffer, n); });
}
template void store_elements(char*, int64_t, const float*, int64_t, Dtype);
template void store_elements(char*, int64_t, const double*, int64_t, Dtype);
template void store_elements(char*, int64_t, const int64_t*, int64_t, Dtype);
template void store_elements(char*, int64_t, const uint64_t*, int64_t, Dtype);
template void store_elements(char*, int64_t, const std::complex<float>*, int64_t, Dtype);
template void store_elements(char*, int64_t, const std::complex<double>*, int64_t, Dtype);

}  // namespace hearth::cpu
