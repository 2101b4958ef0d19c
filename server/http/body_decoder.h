// The body of a request without its Content-Encoding.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hearth::server {

/// Takes a body as it comes and appends what it stands for. One zstd frame, or gzip.
class BodyDecoder {
 public:
  enum class Result { ok, broken, too_large };

  virtual ~BodyDecoder() = default;
  /// Appends to `out`, which grows to `limit` bytes at most: what would make it larger is too_large, and not a byte
  /// beyond is computed.
  virtual Result add(std::string_view bytes, std::string* out) = 0;
  /// The body is over: broken where it is not complete.
  virtual Result finish() = 0;

  /// For a Content-Encoding: "", "identity", "zstd", "gzip" or "x-gzip"; null for others.
  static std::unique_ptr<BodyDecoder> make(std::string_view encoding, std::size_t limit);
};

}  // namespace hearth::server
