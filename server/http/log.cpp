// The log over spdlog.
#include "server/http/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "hearth/core/error.h"

namespace hearth::server {

namespace {

constexpr std::size_t longest_value = 1000;

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("hearth", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\' || c == '=' || c == 127) return false;
  return true;
}

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (line += '\\') += c;
    else if (c == '\n')
      line += "\\n";
    else if (static_cast<unsigned char>(c) < ' ' || c == 127)
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      line += c;
  }
  line += '"';
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(level_of(level)); }

LogLevel parse_log_level(std::string_view word) {
  if (word == "debug") return LogLevel::debug;
  if (word == "info") return LogLevel::info;
  if (word == "warning") return LogLevel::warning;
  if (word == "error") return LogLevel::error;
  if (word == "off") return LogLevel::off;
  fail<ValueError>("log level: must be debug, info, warning, error or off: seen ", std::string(word));
}

bool is_logged(LogLevel level) { return logger().should_log(level_of(level)); }

LogLine::LogLine(LogLevel level, std::string_view event) : level_(level), on_(is_logged(level)) {
  if (on_) line_ = event;
}

LogLine::~LogLine() {
  if (on_) logger().log(level_of(level_), spdlog::string_view_t(line_.data(), line_.size()));
}

LogLine& LogLine::field(std::string_view name, std::string_view value) {
  if (!on_) return *this;
  ((line_ += ' ') += name) += '=';
  value = value.substr(0, longest_value);
  if (is_plain(value))
    line_ += value;
  else
    append_quoted(line_, value);
  return *this;
}

LogLine& LogLine::field(std::string_view name, std::int64_t value) {
  if (on_) line_ += fmt::format(" {}={}", name, value);
  return *this;
}

LogLine& LogLine::milliseconds(std::string_view name, double value) {
  if (on_) line_ += fmt::format(" {}={:.2f}", name, value);
  return *this;
}

}  // namespace hearth::server
