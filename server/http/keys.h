// API keys: whom a key belongs to. The keys themselves are stored nowhere, only their hashes.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::server {

/// The keys file: a line `NAME HASH` a key, HASH = BLAKE2b-256 of the key in hex; `#` begins a comment. A name may have
/// several keys. Names are `[A-Za-z0-9._-]{1,64}`.
class Keys {
 public:
  /// Raises IoError where the file cannot be read, ValueError naming the line that is wrong, or where no key is in it.
  static Keys load(const std::string& file);
  static Keys parse(std::string_view text, const std::string& file = "keys");

  /// The name that the key belongs to. Takes the same time whichever key matches.
  std::optional<std::string> owner(std::string_view key) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    std::array<unsigned char, 32> hash;
  };
  std::vector<Entry> entries_;
};

/// A new random key, `tml-` and 43 characters (256 bits).
std::string new_key();

/// The line of the keys file for a key. Raises ValueError for a name that may not be.
std::string keys_line(const std::string& name, std::string_view key);

}  // namespace hearth::server
