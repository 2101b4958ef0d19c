// The server's log: one line an event, `time level event name=value name=value`, on stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::server {

enum class LogLevel { debug, info, warning, error, off };

/// Lines below this level are not written; the default is info.
void set_log_level(LogLevel level);
/// "debug", "info", "warning", "error" or "off"; raises ValueError for another word.
LogLevel parse_log_level(std::string_view word);
bool is_logged(LogLevel level);

/// One line, written when the object goes. Values are quoted where they hold spaces, quotes or control characters, and
/// cut after 1000 bytes: text of a client can neither begin a line nor fill the disk.
/// Example: LogLine(LogLevel::info, "drained").field("requests", 12);
class LogLine {
 public:
  LogLine(LogLevel level, std::string_view event);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  LogLine& field(std::string_view name, std::string_view value);
  LogLine& field(std::string_view name, std::int64_t value);
  LogLine& milliseconds(std::string_view name, double value);

 private:
  LogLevel level_;
  bool on_;
  std::string line_;
};

}  // namespace hearth::server
