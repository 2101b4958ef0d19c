// Blob: bodies and results as they lie in the database: compressed with zstd where that makes them smaller.
#pragma once

#include <string>
#include <string_view>

namespace hearth::server {

/// Bytes for the database: one byte that says how, then the content.
std::string pack_blob(std::string_view content);
/// The content again. Raises IoError where the bytes are not what pack_blob makes.
std::string unpack_blob(std::string_view packed);

}  // namespace hearth::server
