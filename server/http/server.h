// The HTTP server: HTTP/1.1 with keep-alive and pipelining, plain or over TLS, on one event loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/http/keys.h"
#include "server/http/limits.h"
#include "server/http/loop.h"
#include "server/http/metrics.h"
#include "server/http/router.h"

namespace hearth::server {

struct ServerOptions {
  std::string bind = "127.0.0.1:8000";   // ADDRESS:PORT, [::1]:PORT or localhost:PORT; port 0 takes a free one
  std::optional<Keys> keys;              // without: everybody is "local", and only loopback addresses are served
  std::string tls_certificate, tls_key;  // PEM files: both or none
  Limits limits;
  std::chrono::milliseconds drain_time{25000};  // what is not answered by then is cut
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
  /// Appends the counters: requests by route and status, time histograms, open requests, connections, bytes.
  void write_metrics(MetricsText& text) const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace hearth::server
