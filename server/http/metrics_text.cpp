// Prometheus' text format.
#include "server/http/metrics_text.h"

#include <fmt/format.h>

namespace hearth::server {

void MetricsText::begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::value(Labels labels, double value, std::string_view suffix) {
  (text_ += name_) += suffix;
  char before = '{';
  for (const auto& [name, label] : labels) {
    ((text_ += before) += name) += "=\"";
    for (const char c : label) {
      if (c == '"' || c == '\\') text_ += '\\';
      if (c == '\n')
        text_ += "\\n";
      else
        text_ += c;
    }
    text_ += '"';
    before = ',';
  }
  if (before == ',') text_ += '}';
  text_ += fmt::format(" {}\n", value);
}

}  // namespace hearth::server
