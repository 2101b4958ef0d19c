// Signed URLs: the path as it will arrive, with its signature as the query.
#include "server/api/signed_urls.h"

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

constexpr const char* secret_name = "download_key";

std::string kept_key(Store& store) {
  if (auto kept = store.read().secret(secret_name)) return *kept;
  std::string fresh = DownloadSigner::new_key();
  store.write_now([&](Tables& tables) { tables.put_secret(secret_name, fresh); });
  return fresh;
}

/// Letters, digits and what else host names, addresses and ports are made of.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  for (char c : text)
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
        std::string_view(".-:[]_").find(c) == std::string_view::npos)
      return false;
  return true;
}

}  // namespace

SignedUrls::SignedUrls(Store& store) : signer_(kept_key(store)) {}

std::string SignedUrls::url(const std::string& scheme, const Request& request, std::string_view path,
                            Time expires) const {
  std::string_view host = request.header("host");
  hearth::check<ValueError>(is_host(host), "Host: is missing or no host name, so no address can be given");
  return scheme + "://" + std::string(host) + std::string(path) + "?" + signer_.query(path, expires);
}

void SignedUrls::check(const Request& request) const {
  if (!signer_.check(request.path, request.query_or("expires", ""), request.query_or("signature", ""), time_now()))
    not_found("this address is forged or its time is over; what it named is");
}

}  // namespace hearth::server
