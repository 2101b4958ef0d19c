// Safetensors header: the names, dtypes, shapes and byte ranges at the front of a file, checked before use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/core/dtype.h"

namespace hearth {

/// One tensor of a safetensors file: `begin` and `end` count bytes from the start of the data section.
struct SafetensorsInfo {
  Dtype dtype = Dtype::float32;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// A header that has been checked against the length of its file. `data_start` is the file offset of the data section.
struct SafetensorsHeader {
  std::map<std::string, SafetensorsInfo> tensors;
  std::map<std::string, std::string> metadata;
  uint64_t data_start = 0;
};

/// The largest header that is read, the same as in the reference implementation.
inline constexpr uint64_t safetensors_header_limit = 100'000'000;

/// Reads the header of a file whose whole bytes are `file`; `name` is the file in messages.
/// Raises IoError naming file and tensor: a length outside the file, JSON that is broken or of another form, an unknown
/// dtype, a shape that overflows or does not fit its bytes, ranges that overlap, leave holes or leave the file.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& name);

/// The front of a file (length, JSON, padding to 8 bytes) for tensors that lie in the order of `order`; fills in their
/// byte ranges. Raises ValueError for a reserved or non-UTF-8 name.
std::string write_safetensors_header(std::map<std::string, SafetensorsInfo>& tensors,
                                     const std::vector<std::string>& order,
                                     const std::map<std::string, std::string>& metadata);

/// The format's name of a dtype, e.g. "BF16".
std::string_view safetensors_dtype_name(Dtype dtype);

/// Bytes of `shape` in `dtype`; false when the product does not fit 63 bits or a size is negative.
bool shape_bytes(const std::vector<int64_t>& shape, Dtype dtype, uint64_t& bytes);

}  // namespace hearth
