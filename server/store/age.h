// Age: encrypts files to X25519 recipients in the age v1 format, so that only who asked for a download can read it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/io/file_system.h"

namespace hearth::server {

/// A public key.
struct AgeRecipient {
  std::array<uint8_t, 32> key{};
};

/// Reads `age1...` (Bech32). Raises ValueError saying what is wrong; the text is not repeated in full.
AgeRecipient parse_age_recipient(std::string_view text);
/// All of a request's; raises ValueError for none, or for more than 64.
std::vector<AgeRecipient> parse_age_recipients(const std::vector<std::string>& texts);

/// One encryption, piece by piece; memory for one chunk of 64 KiB. `sink` gets the bytes of the file in order.
/// Format: https://age-encryption.org/v1 (C2SP): a file key wrapped for each recipient, a header with its MAC, then
/// ChaCha20-Poly1305 chunks under a key of their own.
/// Example: AgeWriter out(recipients, sink); out.write("text"); out.finish();
class AgeWriter {
 public:
  using Sink = std::function<void(std::string_view)>;
  /// Raises ValueError when a recipient's key is unusable.
  AgeWriter(const std::vector<AgeRecipient>& recipients, Sink sink);
  ~AgeWriter();
  AgeWriter(const AgeWriter&) = delete;
  AgeWriter& operator=(const AgeWriter&) = delete;
  void write(std::string_view bytes);
  /// Must be called once at the end, also for an empty file.
  void finish();

 private:
  void seal_chunk(bool last);

  Sink sink_;
  std::string chunk_;  // plain bytes that wait: the last chunk must be known to be the last
  std::array<uint8_t, 32> key_{};
  uint64_t chunks_ = 0;
  bool finished_ = false;
};

/// Encrypts file `from` into file `to`, which is replaced atomically. Raises IoError, ValueError.
void age_encrypt_file(const std::string& from, const std::string& to, const std::vector<AgeRecipient>& recipients,
                      FileSystem& fs = real_file_system());

}  // namespace hearth::server
