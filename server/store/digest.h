// Digest: BLAKE2b-256, over pieces, as hexadecimal text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hearth::server {

/// Example: Digest d; d.add("a"); d.add("b"); d.hex() == digest_hex("ab")
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(std::string_view bytes) { add(bytes.data(), bytes.size()); }
  void add(const void* data, size_t size);
  /// Eight bytes, the lowest first.
  void add_number(uint64_t number);
  /// 64 digits. Ends the digest.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string digest_hex(std::string_view bytes);
std::string to_hex(std::string_view bytes);

}  // namespace hearth::server
