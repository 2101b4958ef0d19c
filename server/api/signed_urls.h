// Signed URLs: addresses that work without a key for an hour, because they carry proof that this server gave them.
#pragma once

#include <string>
#include <string_view>

#include "server/http/request.h"
#include "server/store/downloads.h"
#include "server/store/records.h"

namespace hearth::server {

class Store;

class SignedUrls {
 public:
  static constexpr Time lifetime = 3600 * second;

  /// Reads the secret from the store, or makes one at the very first start: before the loop runs.
  explicit SignedUrls(Store& store);

  /// "http://HOST/PATH?expires=...": HOST is what the client called the server. Raises ValueError where that is no
  /// host name.
  std::string url(const std::string& scheme, const Request& request, std::string_view path, Time expires) const;
  /// Raises a 404 (see not_found) where the request's path was not signed, or its hour is over.
  void check(const Request& request) const;

 private:
  DownloadSigner signer_;
};

}  // namespace hearth::server
