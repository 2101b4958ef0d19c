// Signed links: the fields of a link with a keyed hash (HMAC-SHA-512-256) behind them, as one path segment.
#include "server/api/signed_links.h"

#include <sodium.h>

#include <boost/json.hpp>
#include <vector>

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

constexpr const char* secret_name = "signed_links";

std::string encode(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.pop_back();  // the zero behind it
  return text;
}

bool decode(std::string_view text, std::string* bytes) {
  bytes->resize(text.size());
  size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes->data()), bytes->size(), text.data(), text.size(),
                        nullptr, &size, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
    return false;
  bytes->resize(size);
  return true;
}

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

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

SignedLinks::SignedLinks(Store& store) {
  check<IoError>(sodium_init() >= 0, "signed links: libsodium cannot start");
  auto kept = store.read().secret(secret_name);
  if (!kept || kept->size() != key_.size()) {
    std::string fresh(key_.size(), '\0');
    randombytes_buf(fresh.data(), fresh.size());
    store.write_now([fresh](Tables& tables) { tables.put_secret(secret_name, fresh); });
    kept = fresh;
  }
  std::copy(kept->begin(), kept->end(), key_.begin());
}

std::string SignedLinks::seal(const Link& link) const {
  std::string body =
      boost::json::serialize(boost::json::array{link.purpose, link.run, link.folder, link.file, link.expires});
  std::string mac(crypto_auth_BYTES, '\0');
  crypto_auth(reinterpret_cast<unsigned char*>(mac.data()), raw(body), body.size(), key_.data());
  return encode(mac + body);
}

Link SignedLinks::open(std::string_view token, std::string_view purpose, Time now) const {
  std::string bytes;
  if (!decode(token, &bytes) || bytes.size() <= crypto_auth_BYTES) not_found("this link is");
  std::string_view body = std::string_view(bytes).substr(crypto_auth_BYTES);
  if (crypto_auth_verify(raw(bytes), raw(body), body.size(), key_.data()) != 0) not_found("this link is");
  const boost::json::array fields = boost::json::parse(body).as_array();
  auto text = [&](size_t i) { return std::string(fields.at(i).as_string().c_str()); };
  Link link{text(0), text(1), text(2), text(3), fields.at(4).to_number<Time>()};
  if (link.purpose != purpose) not_found("this link is");
  if (link.expires <= now) not_found("this link has expired; what it named is");
  return link;
}

std::string SignedLinks::url(const std::string& scheme, const Request& request, const Link& link,
                             std::string_view name) const {
  std::string_view host = request.header("host");
  check<ValueError>(is_host(host), "Host: is missing or no host name, so no address can be given");
  const char* where = link.purpose == "trace" ? "traces" : link.purpose == "archive" ? "archives" : "files";
  return scheme + "://" + std::string(host) + "/api/v1/" + where + "/" + seal(link) + "/" + std::string(name);
}

}  // namespace hearth::server
