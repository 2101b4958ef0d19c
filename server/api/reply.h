// Reply: what handlers read from requests and write into answers, in one form for all resources.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/engine/answers.h"
#include "server/http/request.h"
#include "server/http/respond.h"
#include "server/http/router.h"
#include "server/store/records.h"

namespace hearth::server {

/// The answer to what the engine refused: its status, its words, Retry-After where it says when.
Response refused(const Refusal& refusal);

/// A JSON answer. Example: respond(json_answer({{"status", "ok"}}));
Response json_answer(const boost::json::value& value, int status = 200);

/// The JSON object in a request's body; an empty body is {}. Raises ValueError.
boost::json::value json_body(const Request& request);

/// "2026-11-24T00:39:04.000123Z"
std::string iso_time(Time time);
/// Reads what iso_time writes, and dates, other zones, less digits. Nothing for what is no time.
std::optional<Time> parse_time(std::string_view text);
/// Now.
Time time_now();

/// A number in the query, within [low, high]; a larger one is `high`. Raises ValueError naming it.
int64_t query_number(const Request& request, const std::string& name, int64_t otherwise, int64_t low, int64_t high);

/// Raises a 404 "... not found" which answer_errors turns into an answer.
[[noreturn]] void not_found(std::string_view what);

/// `handler`, whose exceptions become answers: ValueError 400, what not_found raises 404, the rest 500 (logged).
Handler answer_errors(std::function<void(const Request&, const Respond&)> handler);

/// Answers an engine's reply without content, `{}`, or its refusal.
Then<Nothing> answer_nothing(const Respond& respond);

}  // namespace hearth::server
