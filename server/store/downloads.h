// Downloads: URLs that carry their own permission, because the tools that fetch them send no key.
#pragma once

#include <string>
#include <string_view>

#include "server/store/records.h"

namespace hearth::server {

/// Signs the path of a download until a moment. Who knows the URL may fetch that one file until then, nobody else.
/// Example: url + "?" + signer.query(path, now + hour)  and later  signer.check(path, expires, signature, now)
class DownloadSigner {
 public:
  /// `key`: 32 secret bytes, kept in the database so that URLs outlive a restart. Raises ValueError for other sizes.
  explicit DownloadSigner(std::string key);
  ~DownloadSigner();
  DownloadSigner(const DownloadSigner&) = default;
  static std::string new_key();

  /// `expires=SECONDS&signature=HEX`. `path` is signed as it is: sign what the server will see, decoded or not.
  std::string query(std::string_view path, Time expires) const;
  /// Whether this server signed that path and it still holds. Takes the same time for every wrong signature.
  bool check(std::string_view path, std::string_view expires, std::string_view signature, Time now) const;

 private:
  std::string sign(std::string_view path, std::string_view expires) const;
  std::string key_;
};

}  // namespace hearth::server
