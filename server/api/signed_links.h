// Signed links: addresses of files that work without a key for an hour, because they carry proof of who made them.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "server/http/request.h"
#include "server/store/records.h"

namespace hearth::server {

class Store;

/// What a link opens. `purpose` keeps links for one thing from opening another.
struct Link {
  std::string purpose;  ///< "archive", "file", "trace"
  std::string run;      ///< or a session
  std::string folder;   ///< of the checkpoint when the link was made, relative to the store
  std::string file;     ///< within the folder; empty: all of it
  Time expires = 0;
};

/// Makes and checks links with a key that the store keeps (made at the first use; call that before the loop runs).
class SignedLinks {
 public:
  explicit SignedLinks(Store& store);

  /// "http://HOST/api/v1/files/TOKEN/NAME": HOST is what the client called the server. Raises ValueError where that
  /// is no host name.
  std::string url(const std::string& scheme, const Request& request, const Link& link, std::string_view name) const;
  /// What a token opens. Raises a 404 (see not_found) for one that is forged, has expired or is for something else.
  Link open(std::string_view token, std::string_view purpose, Time now) const;
  /// The token alone.
  std::string seal(const Link& link) const;

 private:
  std::array<unsigned char, 32> key_;
};

}  // namespace hearth::server
