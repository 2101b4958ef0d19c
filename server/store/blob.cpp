// Blob: bodies and results as they lie in the database: compressed with zstd where that makes them smaller.
#include "server/store/blob.h"

#include <zstd.h>

#include <memory>

#include "hearth/core/error.h"

namespace hearth::server {

namespace {

constexpr char plain = 0, compressed = 1;
constexpr size_t smallest = 128;                 // below this the frame's own bytes eat the gain
constexpr uint64_t largest = uint64_t(2) << 30;  // SQLite takes no more anyway
constexpr int level = 1;

ZSTD_CCtx* compressor() {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  thread_local std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  if (context == nullptr) fail<OutOfMemoryError>("store: out of memory for compression");
  return context.get();
}

}  // namespace

std::string pack_blob(std::string_view content) {
  std::string out;
  if (content.size() >= smallest) {
    out.resize(1 + ZSTD_compressBound(content.size()));
    const size_t size =
        ZSTD_compressCCtx(compressor(), out.data() + 1, out.size() - 1, content.data(), content.size(), level);
    if (!ZSTD_isError(size) && size < content.size()) {
      out[0] = compressed;
      out.resize(1 + size);
      return out;
    }
  }
  out.assign(1, plain);
  out.append(content);
  return out;
}

std::string unpack_blob(std::string_view packed) {
  check<IoError>(!packed.empty(), "store: a stored body is damaged: it is empty");
  const std::string_view content = packed.substr(1);
  if (packed[0] == plain) return std::string(content);
  check<IoError>(packed[0] == compressed, "store: a stored body is damaged: its first byte is ", int(packed[0]));
  const unsigned long long size = ZSTD_getFrameContentSize(content.data(), content.size());
  check<IoError>(size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR && size <= largest,
                 "store: a stored body is damaged: no zstd frame");
  std::string out(size_t(size), '\0');
  const size_t got = ZSTD_decompress(out.data(), out.size(), content.data(), content.size());
  check<IoError>(!ZSTD_isError(got) && got == out.size(), "store: a stored body is damaged: it does not decompress");
  return out;
}

}  // namespace hearth::server
