// What the HTTP layer counts, as text.
#include "server/http/metrics.h"

#include <fmt/format.h>

#include "server/http/metrics_text.h"

namespace hearth::server {

void Metrics::finished(const std::string& route, int status, double seconds, bool was_open) {
  ++counters.requests;
  ++requests_[{route, status}];
  if (was_open) --open_[route];
  Histogram& h = seconds_[route];
  ++h.count;
  h.sum += seconds;
  for (std::size_t i = 0; i < bounds.size(); ++i)
    if (seconds <= bounds[i]) ++h.at_most[i];
}

void Metrics::write(MetricsText& text) const {
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, double value) {
    text.begin(name, type, help);
    text.value(value);
  };
  const Counters& c = counters;
  one("hearth_http_connections_total", "counter", "Connections accepted.", double(c.connections));
  one("hearth_http_connections_refused_total", "counter", "Connections beyond the limit.",
      double(c.refused_connections));
  one("hearth_http_open_connections", "gauge", "Connections open now.", double(c.open_connections));
  one("hearth_http_received_bytes_total", "counter", "Bytes received.", double(c.bytes_in));
  one("hearth_http_sent_bytes_total", "counter", "Bytes sent.", double(c.bytes_out));
  text.begin("hearth_http_open_requests", "gauge", "Requests that wait for their answer, long polls among them.");
  for (const auto& [route, open] : open_) text.value({{"route", route}}, double(open));
  text.begin("hearth_http_requests_total", "counter", "Requests by route and status; 499: the client went first.");
  for (const auto& [key, count] : requests_)
    text.value({{"route", key.first}, {"status", std::to_string(key.second)}}, double(count));
  text.begin("hearth_http_request_seconds", "histogram", "From a request's first byte to the last of its answer.");
  for (const auto& [route, h] : seconds_) {
    for (std::size_t i = 0; i < bounds.size(); ++i)
      text.value({{"route", route}, {"le", fmt::format("{}", bounds[i])}}, double(h.at_most[i]), "_bucket");
    text.value({{"route", route}, {"le", "+Inf"}}, double(h.count), "_bucket");
    text.value({{"route", route}}, h.sum, "_sum");
    text.value({{"route", route}}, double(h.count), "_count");
  }
}

}  // namespace hearth::server
