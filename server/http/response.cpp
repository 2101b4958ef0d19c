// Answers: the usual ones, and the words of their statuses.
#include "server/http/response.h"

#include <cstdio>

#include "server/http/url.h"

namespace hearth::server {

namespace {
/// A JSON string. Bytes that are not UTF-8 become U+FFFD: what is said may hold a client's text.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const char c = text[at];
    if (length != 1) {
      out += length == 0 ? std::string_view("\\ufffd") : text.substr(at, length);
    } else if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
    at += length == 0 ? 1 : length;
  }
  return out += '"';
}
}  // namespace

Response json_response(std::string body, int status) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response error_response(int status, std::string_view detail) {
  return json_response("{\"detail\":" + json_string(detail) + "}", status);
}

Response busy_response(std::string_view detail, int64_t retry_after_seconds) {
  Response response = error_response(429, detail);
  response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
  return response;
}

std::string_view status_words(int status) {
  struct Words {
    int status;
    std::string_view words;
  };
  static constexpr Words table[] = {{100, "Continue"},
                                    {200, "OK"},
                                    {201, "Created"},
                                    {202, "Accepted"},
                                    {204, "No Content"},
                                    {206, "Partial Content"},
                                    {301, "Moved Permanently"},
                                    {302, "Found"},
                                    {303, "See Other"},
                                    {304, "Not Modified"},
                                    {307, "Temporary Redirect"},
                                    {400, "Bad Request"},
                                    {401, "Unauthorized"},
                                    {402, "Payment Required"},
                                    {403, "Forbidden"},
                                    {404, "Not Found"},
                                    {405, "Method Not Allowed"},
                                    {408, "Request Timeout"},
                                    {409, "Conflict"},
                                    {410, "Gone"},
                                    {411, "Length Required"},
                                    {413, "Content Too Large"},
                                    {415, "Unsupported Media Type"},
                                    {416, "Range Not Satisfiable"},
                                    {417, "Expectation Failed"},
                                    {421, "Misdirected Request"},
                                    {422, "Unprocessable Content"},
                                    {425, "Too Early"},
                                    {429, "Too Many Requests"},
                                    {431, "Request Header Fields Too Large"},
                                    {500, "Internal Server Error"},
                                    {501, "Not Implemented"},
                                    {503, "Service Unavailable"},
                                    {505, "HTTP Version Not Supported"}};
  for (const Words& row : table)
    if (row.status == status) return row.words;
  return "Status";
}

}  // namespace hearth::server
