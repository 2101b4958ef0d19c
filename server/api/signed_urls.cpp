// Signed URLs: the path as it will arrive, with its signature as the query.
#include "server/api/signed_urls.h"

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/store/downloads.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

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

std::string signed_url(const Api& api, const Request& request, std::string_view path, Time expires) {
  std::string_view host = request.header("host");
  check<ValueError>(is_host(host), "Host: is missing or no host name, so no address can be given");
  return api.scheme + "://" + std::string(host) + std::string(path) + "?" + api.store.downloads().query(path, expires);
}

void check_signature(const Store& store, const Request& request) {
  if (!store.downloads().check(request.path, request.query_or("expires", ""), request.query_or("signature", ""),
                               time_now()))
    not_found("this address is forged or its time is over; what it named is");
}

}  // namespace hearth::server
