// The address that the server binds to, as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::server {

struct Address {
  std::string host;  // an IPv4 or IPv6 address, without brackets
  std::uint16_t port = 0;
  bool loopback = false;
};

/// "127.0.0.1:8000", "[::1]:8000", "localhost:8000" (the IPv4 one), "0.0.0.0:8000". Raises ValueError for other text.
Address parse_address(std::string_view text);

/// Whether a Host or Origin header names this machine's own loopback: "localhost:8000", "http://127.0.0.1".
bool names_loopback(std::string_view host_or_origin);

}  // namespace hearth::server
