// Reply: engine refusals, JSON answers, times and query numbers.
#include "server/api/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <cmath>

#include "hearth/core/error.h"
#include "hearth/io/json.h"
#include "server/http/log.h"

namespace hearth::server {
namespace {

struct NotFound {
  std::string what;
};

/// A calendar day as days since 1970-01-01.
int64_t days_of(int year, unsigned month, unsigned day) {
  using namespace std::chrono;
  return sys_days(year_month_day(std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)))
      .time_since_epoch()
      .count();
}

/// Takes exactly `digits` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  int value = 0;
  if (text.size() < digits) return {};
  for (char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int64_t> take_date(std::string_view& text) {
  auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return {};
  auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return {};
  auto day = take_number(text, 2);
  if (!day) return {};
  std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(unsigned(*month)),
                                   std::chrono::day(unsigned(*day))};
  if (!date.ok()) return {};
  return days_of(*year, *month, *day);
}

/// ".123" -> 123000 microseconds; digits beyond microseconds are dropped.
int64_t take_fraction(std::string_view& text) {
  if (!take(text, ".,")) return 0;
  int64_t value = 0;
  int64_t unit = second / 10;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    value += unit * (text[0] - '0');
    unit /= 10;
    text.remove_prefix(1);
  }
  return value;
}

/// "", "Z", "+02:00", "-0530", "+02": seconds east of Greenwich.
std::optional<int64_t> take_zone(std::string_view& text) {
  if (text.empty() || take(text, "Zz")) return 0;
  bool west = text[0] == '-';
  if (!take(text, "+- ")) return {};  // '+' in a query that was not encoded arrives as a space
  auto hours = take_number(text, 2);
  if (!hours || *hours > 23) return {};
  take(text, ":");
  int minutes = 0;
  if (!text.empty()) {
    auto given = take_number(text, 2);
    if (!given || *given > 59) return {};
    minutes = *given;
  }
  return (west ? -1 : 1) * (*hours * 3600 + minutes * 60);
}

}  // namespace

Response refused(const Refusal& refusal) {
  Response response = error_response(refusal.status, refusal.detail);
  if (refusal.retry_after > 0)
    response.headers.emplace_back("Retry-After", std::to_string(int64_t(std::ceil(refusal.retry_after))));
  return response;
}

Response json_answer(const boost::json::value& value, int status) {
  return json_response(boost::json::serialize(value), status);
}

boost::json::value json_body(const Request& request) {
  if (request.body.empty()) return boost::json::object();
  boost::json::value value = parse_json(request.body, "body");
  check<ValueError>(value.is_object(), "body: wants a JSON object, is ", json_kind(value));
  return value;
}

std::string iso_time(Time time) {
  using namespace std::chrono;
  sys_time<microseconds> point{microseconds(time)};
  auto day = floor<days>(point);
  year_month_day date(day);
  int64_t rest = (point - day).count();
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()), unsigned(date.day()),
                  rest / (3600 * second), rest / (60 * second) % 60, rest / second % 60);
  if (rest % second) text += fmt::format(".{:06}", rest % second);
  return text + "Z";
}

std::optional<Time> parse_time(std::string_view text) {
  auto day = take_date(text);
  if (!day) return {};
  Time time = *day * 86400 * second;
  if (text.empty()) return time;
  if (!take(text, "Tt ")) return {};
  auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return {};
  auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return {};
  int seconds = 0;
  if (take(text, ":")) {
    auto given = take_number(text, 2);
    if (!given || *given > 60) return {};
    seconds = *given;
  }
  time += (int64_t(*hour) * 3600 + *minute * 60 + seconds) * second + take_fraction(text);
  auto zone = take_zone(text);
  if (!zone || !text.empty()) return {};
  return time - *zone * second;
}

Time time_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

int64_t query_number(const Request& request, const std::string& name, int64_t otherwise, int64_t low, int64_t high) {
  auto found = request.query.find(name);
  if (found == request.query.end()) return otherwise;
  const std::string& text = found->second;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check<ValueError>(error == std::errc() && end == text.data() + text.size() && value >= low, name,
                    ": wants a whole number of at least ", low, ", is '", text, "'");
  return std::min(value, high);
}

void not_found(std::string_view what) { throw NotFound{std::string(what)}; }

Handler answer_errors(std::function<void(const Request&, const Respond&)> handler) {
  return [handler = std::move(handler)](Request request, Respond respond) {
    try {
      handler(request, respond);
    } catch (const NotFound& error) {
      respond(error_response(404, error.what + " not found"));
    } catch (const ValueError& error) {
      respond(error_response(400, error.what()));
    } catch (const std::exception& error) {
      LogLine(LogLevel::error, "defect")
          .field("method", request.method)
          .field("path", request.path)
          .field("error", error.what());
      respond(error_response(500, error.what()));
    }
  };
}

Then<Nothing> answer_nothing(const Respond& respond) {
  return [respond](Reply<Nothing> reply) {
    if (auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
    respond(json_response("{}"));
  };
}

}  // namespace hearth::server
