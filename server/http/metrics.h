// What the HTTP layer counts.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace hearth::server {

class MetricsText;

/// What the server has done and is doing.
struct Counters {
  std::uint64_t connections = 0, refused_connections = 0, requests = 0, bytes_in = 0, bytes_out = 0;
  std::size_t open_connections = 0, open_requests = 0;
};

/// Counters by route ("POST /api/v1/forward_backward"; what no route took is "none").
class Metrics {
 public:
  Counters counters;

  void opened(const std::string& route) { ++open_[route]; }
  /// Status 499 is a client that went before its answer.
  void finished(const std::string& route, int status, double seconds, bool was_open);
  /// Appends everything.
  void write(MetricsText& text) const;

 private:
  static constexpr std::array<double, 12> bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 30, 120};
  struct Histogram {
    std::array<std::uint64_t, bounds.size()> at_most{};
    std::uint64_t count = 0;
    double sum = 0;
  };
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;
  std::map<std::string, Histogram> seconds_;
  std::map<std::string, std::int64_t> open_;
};

}  // namespace hearth::server
