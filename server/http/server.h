// The HTTP server: HTTP/1.1 with keep-alive and pipelining, plain or over TLS, on one event loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/http/keys.h"
#include "server/http/loop.h"
#include "server/http/router.h"

namespace hearth::server {

/// What one client, or all of them, may take. What is beyond is refused with 4xx or 503 and a body that says the limit.
struct Limits {
  std::size_t header_bytes = 32 << 10;              // request line and headers: 431
  std::size_t body_bytes = 64 << 20;                // as it comes over the network: 413
  std::size_t decompressed_bytes = 256 << 20;       // 413
  std::size_t receiving_bytes = 1 << 30;            // all bodies that are being received together: 503
  std::size_t connections = 20000;                  // 503 and closed
  std::size_t requests_per_owner = 20000;           // open at a time: 429
  std::size_t stream_bytes = 4 << 20;               // waiting for a client that reads a stream slowly: cut
  std::chrono::milliseconds header_time{15000};     // from a request's first byte to the end of its headers: 408
  std::chrono::milliseconds body_time{30000};       // and a second more for every body_rate bytes: 408
  std::size_t body_rate = 64 << 10;                 // bytes a second
  std::chrono::milliseconds idle_time{120000};      // a connection without a request: closed
  std::chrono::milliseconds write_time{30000};      // an answer of which the client takes nothing: closed
  std::chrono::milliseconds handshake_time{10000};  // TLS: closed
};

struct ServerOptions {
  std::string bind = "127.0.0.1:8000";   // ADDRESS:PORT, [::1]:PORT or localhost:PORT; port 0 takes a free one
  std::optional<Keys> keys;              // without: everybody is "local", and only loopback addresses are served
  std::string tls_certificate, tls_key;  // PEM files: both or none
  Limits limits;
  std::chrono::milliseconds drain_time{25000};  // what is not answered by then is cut
};

/// What the server has done and is doing.
struct Counters {
  std::uint64_t connections = 0, requests = 0, bytes_in = 0, bytes_out = 0, refused_connections = 0;
  std::size_t open_connections = 0, open_requests = 0;
};

/// Serves `router` on `loop`; both must outlive it. Everything on the loop thread, or before loop.run().
/// Example: Server server(loop, router, {}); server.listen(); loop.run();
class Server {
 public:
  /// Raises ValueError for options that contradict each other: an address outside loopback without keys, TLS without
  /// its key.
  Server(Loop& loop, const Router& router, ServerOptions options);
  ~Server();

  /// Begins to accept. Raises IoError where the address cannot be had or the TLS files cannot be read.
  void listen();
  /// The port that is listened on.
  std::uint16_t port() const;
  /// Stops accepting, closes idle connections, lets open requests be answered; then, or after drain_time, calls `done`.
  void drain(std::function<void()> done);
  /// From drain() on: handlers that wait for something should answer now.
  bool draining() const;
  Counters counters() const;
  /// The counters in Prometheus' text format: requests by route and status, time histograms, connections, bytes.
  std::string metrics_text() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace hearth::server
