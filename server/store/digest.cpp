// Digest: BLAKE2b-256, over pieces, as hexadecimal text.
#include "server/store/digest.h"

#include <sodium.h>

namespace hearth::server {

// libsodium wants 64-byte alignment.
struct alignas(64) Digest::State {
  crypto_generichash_state state;
};

Digest::Digest() : state_(std::make_unique<State>()) {
  crypto_generichash_init(&state_->state, nullptr, 0, crypto_generichash_BYTES);
}

Digest::~Digest() = default;

void Digest::add(const void* data, size_t size) {
  crypto_generichash_update(&state_->state, static_cast<const unsigned char*>(data), size);
}

void Digest::add_number(uint64_t number) {
  unsigned char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(number >> (8 * i));
  add(bytes, sizeof bytes);
}

std::string Digest::hex() {
  unsigned char out[crypto_generichash_BYTES];
  crypto_generichash_final(&state_->state, out, sizeof out);
  return to_hex({reinterpret_cast<const char*>(out), sizeof out});
}

std::string digest_hex(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.hex();
}

std::string to_hex(std::string_view bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    out += digits[static_cast<unsigned char>(byte) >> 4];
    out += digits[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

}  // namespace hearth::server
