// Prometheus' text format, for whoever has something to count.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace hearth::server {

/// Example: MetricsText t; t.begin("hearth_tokens_total", "counter", "Tokens trained."); t.value({{"model", m}}, 12);
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// The metric that the next values belong to; `type` is "counter", "gauge" or "histogram".
  void begin(std::string_view name, std::string_view type, std::string_view help);
  /// A value of it; `suffix` is "_bucket", "_sum" or "_count" in histograms.
  void value(Labels labels, double value, std::string_view suffix = {});
  void value(double v) { value({}, v); }

  const std::string& text() const { return text_; }

 private:
  std::string name_, text_;
};

}  // namespace hearth::server
