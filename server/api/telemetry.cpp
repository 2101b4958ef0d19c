// Telemetry: what clients report about themselves.
#include "server/api/telemetry.h"

#include <boost/json.hpp>
#include <string>

#include "hearth/io/json.h"
#include "server/http/log.h"
#include "server/wire/body.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

std::string text_of(const JsonObject& event, std::string_view key) {
  const json::value* value = event.find(key);
  if (value == nullptr) return "";
  if (const json::string* text = value->if_string()) return std::string(text->data(), text->size());
  return json::serialize(*value);
}

// Events about long polls that were answered "not yet" come by the thousand.
bool is_failure(const std::string& kind, const std::string& severity) {
  return kind == "UNHANDLED_EXCEPTION" || severity == "ERROR" || severity == "CRITICAL";
}

void log_event(const JsonObject& event, const std::string& session, int& failures) {
  constexpr int most_failures = 10;
  const std::string kind = text_of(event, "event");
  const bool failed = is_failure(kind, text_of(event, "severity")) && ++failures <= most_failures;
  LogLine line(failed ? LogLevel::warning : LogLevel::debug, "client_event");
  line.field("session", session).field("event", kind);
  for (const char* key : {"event_name", "error_type", "error_message", "event_data", "duration"}) {
    if (event.has(key)) line.field(key, text_of(event, key));
  }
}

}  // namespace

void log_telemetry(std::string_view body) {
  try {
    const JsonBody batch("telemetry", body);
    const JsonObject& fields = batch.fields();
    const std::string session = text_of(fields, "session_id");
    int failures = 0;
    for (const json::value& event : fields.get_array("events")) {
      if (event.is_object()) log_event(JsonObject(event, "telemetry"), session, failures);
    }
  } catch (const std::exception& error) {
    LogLine(LogLevel::debug, "telemetry_unreadable").field("reason", error.what());
  }
}

}  // namespace hearth::server
