// API keys: hashes by libsodium.
#include "server/http/keys.h"

#include <sodium.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "hearth/core/error.h"
#include "hearth/io/file_system.h"

namespace hearth::server {

namespace {

using Hash = std::array<unsigned char, 32>;

void start_sodium() {
  static const bool ready = sodium_init() >= 0;
  check<IoError>(ready, "keys: libsodium did not start");
}

Hash hash_of(std::string_view key) {
  Hash hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), nullptr,
                     0);
  return hash;
}

bool is_name(std::string_view name) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr const char* name_rule = "a name is 1 to 64 of the characters A-Z a-z 0-9 . _ -";

}  // namespace

Keys Keys::parse(std::string_view text, const std::string& file) {
  start_sodium();
  Keys keys;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, hex, more;
    if (!(words >> name)) continue;
    words >> hex;
    check<ValueError>(!(words >> more), file, ":", number, ": a line is NAME HASH: seen more after the hash");
    check<ValueError>(is_name(name), file, ":", number, ": ", name_rule);
    Entry entry{name, {}};
    std::size_t length = 0;
    const bool ok = hex.size() == 64 && sodium_hex2bin(entry.hash.data(), entry.hash.size(), hex.data(), hex.size(),
                                                       nullptr, &length, nullptr) == 0;
    // The text is not shown: it may be a key that was put there by mistake.
    check<ValueError>(ok && length == entry.hash.size(), file, ":", number, ": the hash of ", name,
                      " must be 64 hex digits, as `hearth key add ", name, "` writes it: seen ", hex.size(),
                      " characters");
    keys.entries_.push_back(std::move(entry));
  }
  check<ValueError>(!keys.entries_.empty(), file,
                    ": there is no key in it; make one with `hearth key add NAME --keys FILE`");
  return keys;
}

Keys Keys::load(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  check<IoError>(in.good(), "keys: cannot read ", file, ": ", errno_reason(errno));
  std::ostringstream text;
  // Of an empty file nothing can be inserted, which is no failure to read; peek() fails where the file is a folder.
  const bool readable = in.peek() != std::ifstream::traits_type::eof() || !in.bad();
  if (readable && in.good()) text << in.rdbuf();
  check<IoError>(readable && !in.bad(), "keys: cannot read ", file);
  return parse(text.str(), file);
}

std::optional<std::string> Keys::owner(std::string_view key) const {
  const Hash hash = hash_of(key);
  const Entry* found = nullptr;
  // Every entry is compared, and each in constant time: the time tells nothing about the hashes.
  for (const Entry& entry : entries_)
    if (sodium_memcmp(entry.hash.data(), hash.data(), hash.size()) == 0) found = &entry;
  if (!found) return std::nullopt;
  return found->name;
}

std::string new_key() {
  start_sodium();
  unsigned char secret[32];
  randombytes_buf(secret, sizeof secret);
  char text[64];
  sodium_bin2base64(text, sizeof text, secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  const std::string key = std::string("tml-") + text;
  sodium_memzero(secret, sizeof secret);
  sodium_memzero(text, sizeof text);
  return key;
}

std::string keys_line(const std::string& name, std::string_view key) {
  start_sodium();
  check<ValueError>(is_name(name), "key: ", name_rule, ": seen ", name.size(), " characters");
  const Hash hash = hash_of(key);
  char hex[65];
  sodium_bin2hex(hex, sizeof hex, hash.data(), hash.size());
  return name + " " + hex;
}

}  // namespace hearth::server
