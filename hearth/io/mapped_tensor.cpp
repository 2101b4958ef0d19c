// Mapped tensor: zero-copy where the bytes are aligned.
#include "hearth/io/mapped_tensor.h"

#include <cstdint>
#include <cstring>

#include "hearth/core/error.h"

namespace hearth {

Tensor tensor_in_memory(const std::shared_ptr<const void>& owner, std::byte* data, const Shape& shape, Dtype dtype,
                        const std::string& where) {
  const size_t bytes = size_t(shape.numel()) * dtype_size(dtype);
  if (dtype == Dtype::boolean) {
    // A C++ bool that holds another byte is undefined behaviour in everything that reads it.
    for (size_t i = 0; i < bytes; ++i) {
      check<IoError>(std::to_integer<int>(data[i]) <= 1, where, ": a boolean must be 0 or 1, is ",
                     std::to_integer<int>(data[i]));
    }
  }
  const bool aligned = reinterpret_cast<uintptr_t>(data) % dtype_size(dtype) == 0;
  if (!aligned || bytes == 0) {
    Tensor copy = Tensor::empty(shape, dtype);
    if (bytes > 0) std::memcpy(copy.raw(), data, bytes);
    return copy;
  }
  return Tensor(make_ref<TensorImpl>(make_ref<Storage>(Device{}, data, bytes, owner, true), dtype, shape,
                                     contiguous_strides(shape), 0));
}

}  // namespace hearth
