// Mapped tensor: a tensor over bytes that somebody else keeps, such as a mapped file.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "hearth/core/tensor.h"

namespace hearth {

/// A contiguous CPU tensor over the bytes at `data`, which `owner` keeps alive and which may be written. Where `data`
/// is not aligned for the dtype the bytes are copied. Raises IoError, beginning with `where`, for a boolean that is
/// neither 0 nor 1.
Tensor tensor_in_memory(const std::shared_ptr<const void>& owner, std::byte* data, const Shape& shape, Dtype dtype,
                        const std::string& where);

}  // namespace hearth
