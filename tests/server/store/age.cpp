// Age: what AgeWriter makes opens with the identity, by a decryptor of its own, and only so; recipients are checked.
#include "server/store/age.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <cctype>
#include <filesystem>
#include <optional>

#include "faults.h"
#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "store_folder.h"

namespace hearth::server {
namespace {

using Bytes = std::string;

const uint8_t* raw(const Bytes& text) { return reinterpret_cast<const uint8_t*>(text.data()); }
uint8_t* raw(Bytes& text) { return reinterpret_cast<uint8_t*>(text.data()); }

Bytes hmac(const Bytes& key, const Bytes& message) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, raw(key), key.size());
  crypto_auth_hmacsha256_update(&state, raw(message), message.size());
  Bytes out(32, '\0');
  crypto_auth_hmacsha256_final(&state, raw(out));
  return out;
}

Bytes hkdf(const Bytes& secret, const Bytes& salt, const Bytes& info) {
  return hmac(hmac(salt.empty() ? Bytes(32, '\0') : salt, secret), info + '\x01');
}

std::optional<Bytes> unbase64(const Bytes& text) {
  Bytes out(text.size(), '\0');
  size_t size = 0;
  if (sodium_base642bin(raw(out), out.size(), text.data(), text.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0) {
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

std::optional<Bytes> open(const Bytes& key, const Bytes& nonce, const Bytes& sealed) {
  if (sealed.size() < 16) return std::nullopt;
  Bytes out(sealed.size() - 16, '\0');
  unsigned long long size = 0;
  if (crypto_aead_chacha20poly1305_ietf_decrypt(raw(out), &size, nullptr, raw(sealed), sealed.size(), nullptr, 0,
                                                raw(nonce), raw(key)) != 0) {
    return std::nullopt;
  }
  return out;
}

/// Decrypts an age v1 file with an X25519 identity, written from the specification; nothing when anything is wrong.
std::optional<Bytes> decrypt(const Bytes& file, const Bytes& identity) {
  Bytes own(32, '\0');
  crypto_scalarmult_base(raw(own), raw(identity));
  const Bytes version = "age-encryption.org/v1\n";
  if (file.compare(0, version.size(), version) != 0) return std::nullopt;
  size_t at = version.size();
  std::optional<Bytes> file_key;
  const Bytes stanza = "-> X25519 ";
  while (file.compare(at, stanza.size(), stanza) == 0) {
    const size_t line = file.find('\n', at), body = file.find('\n', line + 1);
    const auto share = unbase64(file.substr(at + stanza.size(), line - at - stanza.size()));
    const auto wrapped = unbase64(file.substr(line + 1, body - line - 1));
    if (!share || share->size() != 32 || !wrapped) return std::nullopt;
    Bytes shared(32, '\0');
    if (crypto_scalarmult(raw(shared), raw(identity), raw(*share)) != 0) return std::nullopt;
    const Bytes key = hkdf(shared, *share + own, "age-encryption.org/v1/X25519");
    if (const auto opened = open(key, Bytes(12, '\0'), *wrapped)) file_key = opened;
    at = body + 1;
  }
  if (!file_key || file_key->size() != 16 || file.compare(at, 4, "--- ") != 0) return std::nullopt;
  const size_t end = file.find('\n', at);
  const auto mac = unbase64(file.substr(at + 4, end - at - 4));
  if (!mac || *mac != hmac(hkdf(*file_key, "", "header"), file.substr(0, at + 3))) return std::nullopt;
  const Bytes key = hkdf(*file_key, file.substr(end + 1, 16), "payload");
  Bytes out, left = file.substr(end + 17);
  for (uint64_t count = 0;; ++count) {
    const bool last = left.size() <= 65536 + 16;
    Bytes nonce(12, '\0');
    for (int i = 0; i < 8; ++i) nonce[size_t(10 - i)] = char(count >> (8 * i));
    nonce[11] = last;
    const auto chunk = open(key, nonce, left.substr(0, 65536 + 16));
    if (!chunk || (chunk->empty() && count > 0)) return std::nullopt;
    out += *chunk;
    if (last) return out;
    left = left.substr(65536 + 16);
  }
}

const Bytes identity(32, '\x42');
// Of that identity, from the public test kit of the format.
const char* const recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

Bytes encrypt(const Bytes& plain, const std::vector<AgeRecipient>& recipients, size_t piece = size_t(-1)) {
  Bytes out;
  AgeWriter writer(recipients, [&](std::string_view bytes) { out += bytes; });
  for (size_t at = 0; at < plain.size(); at += std::min(piece, plain.size())) writer.write(plain.substr(at, piece));
  writer.finish();
  return out;
}

TEST(Age, ReadsARecipient) {
  const AgeRecipient found = parse_age_recipient(recipient);
  Bytes expected(32, '\0');
  crypto_scalarmult_base(raw(expected), raw(identity));
  EXPECT_EQ(Bytes(found.key.begin(), found.key.end()), expected);
}

TEST(Age, RefusesWhatIsNone) {
  const std::string good = recipient;
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'q' ? 'p' : 'q';
    EXPECT_THROW(parse_age_recipient(bad), ValueError) << bad;
  }
  std::string upper = good;
  for (char& letter : upper) letter = char(std::toupper(letter));
  const std::string secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
  for (const std::string& bad : {std::string(), std::string("age1"), upper, secret, good + "q", good.substr(1),
                                 good.substr(0, 61), std::string("ssh-ed25519 AAAA"), std::string(62, '\0')}) {
    EXPECT_THROW(parse_age_recipient(bad), ValueError) << bad;
  }
  EXPECT_THROW(parse_age_recipients({}), ValueError);
  EXPECT_THROW(parse_age_recipients(std::vector<std::string>(65, good)), ValueError);
  EXPECT_EQ(parse_age_recipients({good, good}).size(), 2u);
}

TEST(Age, OpensWithTheIdentityAtEverySize) {
  const std::vector<AgeRecipient> to = {parse_age_recipient(recipient)};
  for (const size_t size : {0, 1, 65535, 65536, 65537, 131072, 200000}) {
    Bytes plain(size, '\0');
    for (size_t i = 0; i < size; ++i) plain[i] = char(i * 31 % 251);
    for (const size_t piece : {size_t(-1), size_t(997)}) {
      const Bytes file = encrypt(plain, to, piece);
      EXPECT_EQ(decrypt(file, identity), plain) << size;
      EXPECT_FALSE(decrypt(file, Bytes(32, '\x43')));
    }
  }
}

TEST(Age, EveryRecipientCanOpen) {
  std::vector<AgeRecipient> to;
  std::vector<Bytes> identities;
  for (int i = 0; i < 3; ++i) {
    identities.emplace_back(32, char('a' + i));
    AgeRecipient key;
    crypto_scalarmult_base(key.key.data(), raw(identities.back()));
    to.push_back(key);
  }
  const Bytes file = encrypt("for three", to);
  for (const Bytes& one : identities) EXPECT_EQ(decrypt(file, one), "for three");
  EXPECT_NE(encrypt("for three", to), file) << "keys are fresh every time";
}

TEST(Age, AnyChangedByteIsSeen) {
  const Bytes file = encrypt("secret weights", {parse_age_recipient(recipient)});
  for (size_t i = 0; i < file.size(); ++i) {
    Bytes changed = file;
    changed[i] ^= 1;
    EXPECT_NE(decrypt(changed, identity), "secret weights") << i;
  }
}

TEST(Age, RefusesAKeyThatProtectsNothing) {
  EXPECT_THROW(encrypt("x", {AgeRecipient{}}), ValueError);
  EXPECT_THROW(encrypt("x", {}), ValueError);
}

TEST(Age, FilesSurviveFaults) {
  test::StoreFolder folder;
  const std::string from = folder.around() + "/plain", to = folder.around() + "/plain.age";
  write_file_atomic(from, std::string(100'000, 'p'));
  const std::vector<AgeRecipient> recipients = {parse_age_recipient(recipient)};
  for (int fail_at = 0;; ++fail_at) {
    std::filesystem::remove(to);
    test::DyingFileSystem faulty;
    faulty.fail_at = fail_at;
    try {
      age_encrypt_file(from, to, recipients, faulty);
    } catch (const IoError&) {
    }
    EXPECT_EQ(faulty.open_files, 0);
    if (std::filesystem::exists(to)) {
      EXPECT_EQ(decrypt(read_file(to), identity)->size(), 100'000u);
    }
    if (faulty.failed_call.empty()) break;
  }
  EXPECT_TRUE(std::filesystem::exists(to));
}

}  // namespace
}  // namespace hearth::server
