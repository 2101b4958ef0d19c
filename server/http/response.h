// What a handler answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::server {

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Added as they are; length, type, date and connection are the server's own.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Path of a file that is the body instead of `body`.
  std::string file = {};
  /// Whether `file` is removed once it was sent, or could not be.
  bool remove_file = false;
};

/// 200 with a JSON body. Example: respond(json_response(R"({"status":"ready"})"));
Response json_response(std::string body, int status = 200);

/// `{"detail": "..."}`, what every answer of 4xx and 5xx carries. Example: respond(error_response(404, "no such run"));
Response error_response(int status, std::string_view detail);

/// 429 which says in how many seconds to try again.
Response busy_response(std::string_view detail, int64_t retry_after_seconds = 1);

/// The words that belong to a status, "Not Found" for 404.
std::string_view status_words(int status);

}  // namespace hearth::server
