// What one client, or all of them together, may take.
#pragma once

#include <chrono>
#include <cstddef>

namespace hearth::server {

/// What is beyond a limit is refused with 4xx or 503 and a body that says the limit.
struct Limits {
  std::size_t header_bytes = 32 << 10;              // request line and headers: 431
  std::size_t body_bytes = 64 << 20;                // as it comes over the network: 413
  std::size_t decompressed_bytes = 256 << 20;       // 413
  std::size_t receiving_bytes = 1 << 30;            // all bodies that are being received, together: 503
  std::size_t connections = 20000;                  // 503, and closed
  std::size_t requests_per_owner = 20000;           // open at a time: 429
  std::size_t stream_bytes = 4 << 20;               // waiting for a client that reads a stream slowly: cut
  std::chrono::milliseconds header_time{15000};     // from a request's first byte to the end of its headers: 408
  std::chrono::milliseconds body_time{30000};       // and a second more for every body_rate bytes that came: 408
  std::size_t body_rate = 64 << 10;                 // bytes a second
  std::chrono::milliseconds idle_time{120000};      // a connection without a request: closed
  std::chrono::milliseconds write_time{30000};      // an answer of which the client takes nothing: closed
  std::chrono::milliseconds handshake_time{10000};  // TLS: closed
};

}  // namespace hearth::server
