// Age: Bech32 recipients, key wrapping, the header and its MAC, the chunked payload.
#include "server/store/age.h"

#include <fcntl.h>
#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/file.h"

namespace hearth::server {

namespace {

constexpr size_t chunk_size = size_t(64) << 10;
constexpr size_t most_recipients = 64;
constexpr size_t file_key_size = 16;
using Key = std::array<uint8_t, 32>;

std::string_view view(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }
std::string_view view(const Key& key) { return view(key.data(), key.size()); }
/// Never null, also of an empty text: libsodium wants a place.
const uint8_t* bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data() ? text.data() : ""); }

Key hmac(std::string_view key, std::string_view message) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes(message), message.size());
  Key out;
  crypto_auth_hmacsha256_final(&state, out.data());
  sodium_memzero(&state, sizeof state);
  return out;
}

/// RFC 5869 with SHA-256, for one block of output, which is all that age takes.
Key hkdf(std::string_view secret, std::string_view salt, std::string_view info) {
  Key extracted = hmac(salt, secret);
  const Key out = hmac(view(extracted), std::string(info) + '\x01');
  sodium_memzero(extracted.data(), extracted.size());
  return out;
}

std::string base64(std::string_view content) {
  std::string out(sodium_base64_encoded_len(content.size(), sodium_base64_VARIANT_ORIGINAL_NO_PADDING), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes(content), content.size(), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  out.pop_back();  // the terminating zero
  return out;
}

std::string encrypt(const Key& key, const uint8_t nonce[12], std::string_view plain) {
  std::string out(plain.size() + crypto_aead_chacha20poly1305_ietf_ABYTES, '\0');
  unsigned long long size = 0;
  crypto_aead_chacha20poly1305_ietf_encrypt(reinterpret_cast<uint8_t*>(out.data()), &size, bytes(plain), plain.size(),
                                            nullptr, 0, nullptr, nonce, key.data());
  return out;
}

/// The header's lines for one recipient.
std::string wrap(std::string_view file_key, const AgeRecipient& recipient) {
  Key secret, share, shared;
  randombytes_buf(secret.data(), secret.size());
  crypto_scalarmult_base(share.data(), secret.data());
  const int weak = crypto_scalarmult(shared.data(), secret.data(), recipient.key.data());
  sodium_memzero(secret.data(), secret.size());
  check<ValueError>(weak == 0, "age: a recipient's key is of low order and protects nothing");
  Key key =
      hkdf(view(shared), std::string(view(share)) + std::string(view(recipient.key)), "age-encryption.org/v1/X25519");
  const uint8_t nonce[12] = {};
  const std::string body = encrypt(key, nonce, file_key);
  sodium_memzero(key.data(), key.size());
  sodium_memzero(shared.data(), shared.size());
  return "-> X25519 " + base64(view(share)) + "\n" + base64(body) + "\n";
}

constexpr std::string_view bech32_letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

uint32_t bech32_checksum(const std::vector<uint8_t>& values) {
  constexpr uint32_t generators[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  uint32_t sum = 1;
  for (const uint8_t value : values) {
    const uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; ++i) {
      if (top >> i & 1) sum ^= generators[i];
    }
  }
  return sum;
}

}  // namespace

AgeRecipient parse_age_recipient(std::string_view text) {
  constexpr std::string_view start = "age1";
  check<ValueError>(text.substr(0, start.size()) == start, "age: a recipient begins with age1");
  // 32 bytes are 52 letters of 5 bits; the checksum has 6.
  check<ValueError>(text.size() == start.size() + 52 + 6, "age: a recipient has 62 letters, this one has ",
                    text.size());
  // The human-readable part as Bech32 counts it: high bits, a zero, low bits.
  std::vector<uint8_t> values;
  for (const char letter : start.substr(0, 3)) values.push_back(uint8_t(letter >> 5));
  values.push_back(0);
  for (const char letter : start.substr(0, 3)) values.push_back(uint8_t(letter & 31));
  const size_t data = values.size();
  for (const char letter : text.substr(start.size())) {
    const size_t at = bech32_letters.find(letter);
    check<ValueError>(at != std::string_view::npos, "age: a recipient holds a letter that Bech32 has not");
    values.push_back(uint8_t(at));
  }
  check<ValueError>(bech32_checksum(values) == 1, "age: a recipient's checksum is wrong: mistyped or cut");
  AgeRecipient out;
  uint32_t bits = 0;
  int held = 0;
  size_t next = 0;
  for (size_t i = data; i < data + 52; ++i) {
    bits = (bits << 5 | values[i]) & 0xfff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out.key[next++] = uint8_t(bits >> held);
    }
  }
  check<ValueError>((bits & ((1u << held) - 1)) == 0, "age: a recipient ends in bits that must be zero");
  return out;
}

std::vector<AgeRecipient> parse_age_recipients(const std::vector<std::string>& texts) {
  check<ValueError>(!texts.empty() && texts.size() <= most_recipients, "age: 1 to ", most_recipients,
                    " recipients, got ", texts.size());
  std::vector<AgeRecipient> out;
  for (const std::string& text : texts) out.push_back(parse_age_recipient(text));
  return out;
}

AgeWriter::AgeWriter(const std::vector<AgeRecipient>& recipients, Sink sink) : sink_(std::move(sink)) {
  check<ValueError>(!recipients.empty(), "age: no recipient");
  if (sodium_init() < 0) fail<IoError>("age: the system gives no random numbers");
  uint8_t file_key[file_key_size];
  randombytes_buf(file_key, sizeof file_key);
  const std::string_view secret = view(file_key, sizeof file_key);
  std::string header = "age-encryption.org/v1\n";
  for (const AgeRecipient& recipient : recipients) header += wrap(secret, recipient);
  header += "---";
  Key mac_key = hkdf(secret, {}, "header");
  header += " " + base64(view(hmac(view(mac_key), header))) + "\n";
  uint8_t nonce[16];
  randombytes_buf(nonce, sizeof nonce);
  key_ = hkdf(secret, view(nonce, sizeof nonce), "payload");
  sodium_memzero(file_key, sizeof file_key);
  sodium_memzero(mac_key.data(), mac_key.size());
  sink_(header);
  sink_(view(nonce, sizeof nonce));
}

AgeWriter::~AgeWriter() {
  sodium_memzero(key_.data(), key_.size());
  sodium_memzero(chunk_.data(), chunk_.size());
}

void AgeWriter::write(std::string_view content) {
  check<ValueError>(!finished_, "age: the file is finished");
  while (!content.empty()) {
    // A full chunk waits until something follows, because the last one is marked and may be full.
    if (chunk_.size() == chunk_size) seal_chunk(false);
    const size_t taken = std::min(content.size(), chunk_size - chunk_.size());
    chunk_.append(content.substr(0, taken));
    content.remove_prefix(taken);
  }
}

void AgeWriter::finish() {
  check<ValueError>(!std::exchange(finished_, true), "age: the file is finished");
  seal_chunk(true);
}

void AgeWriter::seal_chunk(bool last) {
  // Eleven bytes of counter, the highest first, and one that marks the end.
  uint8_t nonce[12] = {};
  for (int i = 0; i < 8; ++i) nonce[10 - i] = uint8_t(chunks_ >> (8 * i));
  nonce[11] = last ? 1 : 0;
  ++chunks_;
  sink_(encrypt(key_, nonce, chunk_));
  chunk_.clear();
}

void age_encrypt_file(const std::string& from, const std::string& to, const std::vector<AgeRecipient>& recipients,
                      FileSystem& fs) {
  FileDescriptor file(fs, "age: open", from, O_RDONLY);
  AtomicFile out(to, fs);
  AgeWriter writer(recipients, [&out](std::string_view content) { out.write(content); });
  std::string buffer(chunk_size, '\0');
  for (;;) {
    const ssize_t got = fs.read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail<IoError>("age: read: ", errno_reason(errno), ": ", from);
    if (got == 0) break;
    writer.write(std::string_view(buffer).substr(0, size_t(got)));
  }
  writer.finish();
  out.commit();
}

}  // namespace hearth::server
