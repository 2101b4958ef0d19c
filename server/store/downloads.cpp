// Downloads: HMAC-SHA-256 over path and expiry.
#include "server/store/downloads.h"

#include <sodium.h>

#include <charconv>
#include <utility>

#include "hearth/core/error.h"
#include "server/store/digest.h"

namespace hearth::server {

DownloadSigner::DownloadSigner(std::string key) : key_(std::move(key)) {
  hearth::check<ValueError>(key_.size() == 32, "downloads: the key has 32 bytes, got ", key_.size());
}

DownloadSigner::~DownloadSigner() { sodium_memzero(key_.data(), key_.size()); }

std::string DownloadSigner::new_key() {
  if (sodium_init() < 0) fail<IoError>("downloads: the system gives no random numbers");
  std::string key(32, '\0');
  randombytes_buf(key.data(), key.size());
  return key;
}

std::string DownloadSigner::sign(std::string_view path, std::string_view expires) const {
  // The purpose first, so that the key never signs the same bytes for something else.
  const std::string message = "hearth download 1\n" + std::string(expires) + "\n" + std::string(path);
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key_.data()), key_.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(message.data()), message.size());
  unsigned char out[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_final(&state, out);
  return to_hex({reinterpret_cast<const char*>(out), sizeof out});
}

std::string DownloadSigner::query(std::string_view path, Time expires) const {
  const std::string seconds = std::to_string(expires / second);
  return "expires=" + seconds + "&signature=" + sign(path, seconds);
}

bool DownloadSigner::check(std::string_view path, std::string_view expires, std::string_view signature,
                           Time now) const {
  const std::string expected = sign(path, expires);
  if (signature.size() != expected.size()) return false;
  if (sodium_memcmp(signature.data(), expected.data(), expected.size()) != 0) return false;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  return error == std::errc() && end == expires.data() + expires.size() && now / second < seconds;
}

}  // namespace hearth::server
