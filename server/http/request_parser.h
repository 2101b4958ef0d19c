// Bytes of a connection -> one request. Knows no sockets, so that tests and the fuzzer can feed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/limits.h"
#include "server/http/request.h"

namespace hearth::server {

/// Parses one request.
/// Example: RequestParser p(limits); at += p.feed(text.substr(at)); if (p.state() == RequestParser::State::done) ...
class RequestParser {
 public:
  /// header: waits for the end of the headers. decide: has them, and waits for take_body or drop_body. body: waits for
  /// the rest of the body. done: the request is complete. failed: it is refused, failure() says why.
  enum class State { header, decide, body, done, failed };
  struct Failure {
    int status = 400;
    std::string detail;
  };

  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  /// Takes bytes and returns how many it needs no more; the rest must come again with what follows it. Takes none in
  /// the states decide, done and failed.
  std::size_t feed(std::string_view bytes);
  State state() const;
  const Failure& failure() const;

  /// In state decide: the body is wanted; it is decompressed into request().body.
  void take_body();
  /// In state decide: the body, `most` bytes of it, is read and forgotten; a longer one makes the state failed.
  void drop_body(std::size_t most);

  /// From decide on: method and headers; when done, the body. Path and query are left to the caller.
  Request& request();
  /// The target as it came: "/path?query".
  const std::string& target() const;
  bool keep_alive() const;
  bool http_1_0() const;
  /// Whether the client waits for "100 Continue" before it sends the body.
  bool expects_continue() const;
  bool has_body() const;
  std::optional<std::uint64_t> content_length() const;
  /// Bytes that the body takes in memory so far.
  std::size_t body_size() const;
  /// Bytes of the body that came so far, as they came.
  std::uint64_t received() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::server
