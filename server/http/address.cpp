// The address that the server binds to, as text.
#include "server/http/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "hearth/core/error.h"
#include "server/http/request.h"

namespace hearth::server {

namespace {

/// 4 or 6 for an address of that kind, 0 for other text.
int address_kind(const std::string& host, bool* loopback) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    *loopback = (ntohl(v4.s_addr) >> 24) == 127;
    return 4;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return 0;
  *loopback = std::memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
  return 6;
}

/// "host:port" and "[host]:port" -> host, port; the port may be missing.
bool split(std::string_view text, std::string* host, std::string_view* port) {
  if (!text.empty() && text[0] == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    *host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    const std::size_t end = text.find(':');
    *host = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end);
  }
  if (text.empty()) return true;
  if (text[0] != ':') return false;
  *port = text.substr(1);
  return true;
}

}  // namespace

Address parse_address(std::string_view text) {
  Address address;
  std::string_view port;
  const bool ok = split(text, &address.host, &port);
  if (address.host == "localhost") address.host = "127.0.0.1";
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  const bool port_ok = !port.empty() && error == std::errc() && end == port.data() + port.size();
  check<ValueError>(ok && port_ok && address_kind(address.host, &address.loopback) != 0,
                    "bind: must be ADDRESS:PORT with an IP address or localhost, such as 127.0.0.1:8000 or [::1]:8000: "
                    "seen ",
                    std::string(text));
  return address;
}

bool names_loopback(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.substr(0, scheme.size()) == scheme) text.remove_prefix(scheme.size());
  std::string host;
  std::string_view port;
  bool loopback = false;
  if (!split(text, &host, &port)) return false;
  return same_name(host, "localhost") || (address_kind(host, &loopback) != 0 && loopback);
}

}  // namespace hearth::server
