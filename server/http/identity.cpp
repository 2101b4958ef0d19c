// Who asks: the API key's owner, the client's version.
#include <algorithm>

#include "server/http/connection.h"

namespace hearth::server {

std::optional<std::string> owner_of(const Request& request, const std::optional<Keys>& keys) {
  if (!keys) return "local";
  std::string_view key = request.header("x-api-key");
  if (key.empty()) {
    constexpr std::string_view bearer = "bearer ";
    const std::string_view value = request.header("authorization");
    if (same_name(value.substr(0, bearer.size()), bearer)) key = value.substr(bearer.size());
  }
  if (key.empty()) return std::nullopt;
  return keys->owner(key);
}

std::string client_version(const Request& request) {
  constexpr std::string_view sdk = "AsyncTinker/Python ";
  std::string_view version = request.header("x-sdk-version");
  if (version.empty()) version = request.header("x-stainless-package-version");
  if (version.empty()) {
    version = request.header("user-agent");
    if (version.substr(0, sdk.size()) == sdk) version.remove_prefix(sdk.size());
  }
  return std::string(version.substr(0, 64));
}

}  // namespace hearth::server
