// Signed URLs: addresses that work without a key for an hour, because they carry proof that this server gave them.
#pragma once

#include <string>
#include <string_view>

#include "server/http/request.h"
#include "server/store/records.h"

namespace hearth::server {

struct Api;
class Store;

constexpr Time signed_url_lifetime = 3600 * second;

/// "http://HOST/PATH?expires=...": HOST is what the client called the server. Raises ValueError where that is no
/// host name.
std::string signed_url(const Api& api, const Request& request, std::string_view path, Time expires);
/// Raises a 404 (see not_found) where the store's signer did not sign the request's path, or its hour is over.
void check_signature(const Store& store, const Request& request);

}  // namespace hearth::server
