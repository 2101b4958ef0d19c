// A request as handlers see it: routed, authenticated, its body read to the end and decompressed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::server {

struct Request {
  std::string method;                        // in upper case; a HEAD request arrives as GET
  std::string path;                          // as it came, without the query
  std::vector<std::string> parameters;       // of the route's {placeholders}, from left to right, percent-decoded
  std::map<std::string, std::string> query;  // decoded; of a name that comes twice, the last value
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string owner;  // whom the API key belongs to; "local" where the server has no keys
  std::string peer;   // the client's address, "127.0.0.1:40112"

  /// The value of a header, its name in any case; empty where it did not come.
  /// Example: request.header("content-type") == "application/x-protobuf"
  std::string_view header(std::string_view name) const;
  /// The value of a query parameter, or `otherwise`.
  std::string_view query_or(const std::string& name, std::string_view otherwise) const;
};

/// Whether two names are equal but for the case of ASCII letters.
bool same_name(std::string_view a, std::string_view b);

}  // namespace hearth::server
