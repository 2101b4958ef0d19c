// Content-Encodings by libzstd and zlib. Their output is limited: a small body may stand for a huge one.
#include "server/http/body_decoder.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "server/http/request.h"

namespace hearth::server {

namespace {

// RFC 9659: over HTTP a zstd window is 8 MiB at most; a frame that wants more memory is refused.
constexpr int zstd_window_log = 23;

/// How much room a piece of output gets, by what came: what is not used was cleared for nothing.
std::size_t room_for(std::size_t came) { return std::clamp(came * 4, std::size_t(256), std::size_t(64) << 10); }

/// Appends output pieces of `step`, which fills [begin, begin + room) and returns how much it wrote, until it has
/// no more.
template <class Step>
BodyDecoder::Result append_pieces(std::string* out, std::size_t limit, std::size_t piece, Step step) {
  while (true) {
    const std::size_t size = out->size();
    // One byte more than the limit: that it is written shows that the limit does not suffice.
    const std::size_t room = std::min(piece, limit + 1 - size);
    out->resize(size + room);
    std::size_t written = 0;
    bool more = false;
    const bool ok = step(out->data() + size, room, &written, &more);
    out->resize(size + written);
    if (!ok) return BodyDecoder::Result::broken;
    if (out->size() > limit) return BodyDecoder::Result::too_large;
    if (!more) return BodyDecoder::Result::ok;
  }
}

class Plain : public BodyDecoder {
 public:
  explicit Plain(std::size_t limit) : limit_(limit) {}
  Result add(std::string_view bytes, std::string* out) override {
    if (bytes.size() > limit_ - std::min(limit_, out->size())) return Result::too_large;
    out->append(bytes);
    return Result::ok;
  }
  Result finish() override { return Result::ok; }

 private:
  std::size_t limit_;
};

class Zstd : public BodyDecoder {
 public:
  explicit Zstd(std::size_t limit) : limit_(limit), stream_(ZSTD_createDStream()) {
    if (stream_) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, zstd_window_log);
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  Result add(std::string_view bytes, std::string* out) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    if (!stream_) return Result::broken;
    if (bytes.empty()) return Result::ok;
    if (done_) return Result::broken;
    const Result result = append_pieces(out, limit_, room_for(bytes.size()),
                                        [&](char* begin, std::size_t room, std::size_t* n, bool* more) {
                                          ZSTD_outBuffer to{begin, room, 0};
                                          const std::size_t left = ZSTD_decompressStream(stream_, &to, &in);
                                          *n = to.pos;
                                          if (ZSTD_isError(left)) return false;
                                          done_ = left == 0;
                                          *more = !done_ && (in.pos < in.size || to.pos == room);
                                          return true;
                                        });
    return result == Result::ok && in.pos < in.size ? Result::broken : result;
  }
  Result finish() override { return done_ ? Result::ok : Result::broken; }

 private:
  std::size_t limit_;
  ZSTD_DStream* stream_;
  bool done_ = false;
};

class Gzip : public BodyDecoder {
 public:
  explicit Gzip(std::size_t limit) : limit_(limit) {
    constexpr int gzip_only = 15 + 16;
    started_ = inflateInit2(&stream_, gzip_only) == Z_OK;
  }
  ~Gzip() override {
    if (started_) inflateEnd(&stream_);
  }

  Result add(std::string_view bytes, std::string* out) override {
    if (!started_) return Result::broken;
    if (bytes.empty()) return Result::ok;
    if (done_) return Result::broken;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    const Result result = append_pieces(out, limit_, room_for(bytes.size()),
                                        [&](char* begin, std::size_t room, std::size_t* n, bool* more) {
                                          stream_.next_out = reinterpret_cast<Bytef*>(begin);
                                          stream_.avail_out = static_cast<uInt>(room);
                                          const int code = inflate(&stream_, Z_NO_FLUSH);
                                          *n = room - stream_.avail_out;
                                          if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return false;
                                          done_ = code == Z_STREAM_END;
                                          *more = !done_ && stream_.avail_out == 0;
                                          return true;
                                        });
    return result == Result::ok && stream_.avail_in > 0 ? Result::broken : result;
  }
  Result finish() override { return done_ ? Result::ok : Result::broken; }

 private:
  std::size_t limit_;
  z_stream stream_{};
  bool started_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<BodyDecoder> BodyDecoder::make(std::string_view encoding, std::size_t limit) {
  if (encoding.empty() || same_name(encoding, "identity")) return std::make_unique<Plain>(limit);
  if (same_name(encoding, "zstd")) return std::make_unique<Zstd>(limit);
  if (same_name(encoding, "gzip") || same_name(encoding, "x-gzip")) return std::make_unique<Gzip>(limit);
  return nullptr;
}

}  // namespace hearth::server
