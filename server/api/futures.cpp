// Futures: waiting for results, one at a time or those of a sampler together, and giving up on them.
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/engine/engine.h"
#include "server/wire/body.h"
#include "server/wire/result.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

// A larger result is announced first, so that the client can make room for it.
constexpr size_t announced_size = size_t(1) << 20;

// A clone's requests are numbered from a thousand million times its number on.
constexpr int64_t most_clones = int64_max / 1'000'000'000 - 1;

// 408 is what clients take as "not yet" without a word to their user.
Response try_again(const std::string& request_id, const FutureAnswer& answer) {
  json::object body{{"type", "try_again"}, {"request_id", request_id}, {"queue_state", answer.queue_state}};
  if (!answer.queue_reason.empty()) body["queue_state_reason"] = answer.queue_reason;
  return json_answer(body, 408);
}

Response failure(const FutureAnswer& answer) {
  return json_answer({{"error", answer.error}, {"category", answer.category}});
}

Response result(FutureAnswer answer, bool may_announce) {
  if (may_announce && answer.bytes.size() > announced_size) {
    return json_answer({{"status", "complete_metadata"}, {"response_payload_size", answer.bytes.size()}});
  }
  Response response = json_response(std::move(answer.bytes));
  response.content_type = std::move(answer.content_type);
  return response;
}

void retrieve(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("retrieve_future", request.body);
  const std::string request_id = get_text(body.fields(), "request_id");
  const bool may_announce = body.fields().get_bool("allow_metadata_only", false);
  body.known({"request_id", "allow_metadata_only"}, api.unknown);
  api.engine.retrieve(request.owner, request_id, api.hold,
                      [respond, request_id, may_announce](Reply<FutureAnswer> reply) {
                        if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
                        FutureAnswer& answer = std::get<FutureAnswer>(reply);
                        switch (answer.state) {
                          case FutureAnswer::State::waiting:
                            return respond(try_again(request_id, answer));
                          case FutureAnswer::State::failed:
                            return respond(failure(answer));
                          case FutureAnswer::State::done:
                            return respond(result(std::move(answer), may_announce));
                        }
                      });
}

std::vector<std::string> get_ids(const JsonObject& fields, std::string_view key) {
  std::vector<std::string> ids;
  if (!fields.has(key)) return ids;
  for (const json::value& id : fields.get_array(key)) {
    check<ValueError>(id.is_string(), fields.where(), ": ", key, ": wants strings, holds ", json_kind(id));
    ids.emplace_back(id.get_string().data(), id.get_string().size());
  }
  return ids;
}

Response completions_answer(const Completions& completions) {
  json::array finished;
  for (const Completions::One& one : completions.finished) {
    json::object entry{{"state", one.failed ? "failed" : "finished"}, {"request_id", one.request_id}};
    if (!one.failed) entry["response_payload_uncompressed_size"] = one.size;
    finished.push_back(std::move(entry));
  }
  return json_answer({{"completions", std::move(finished)}, {"cursor", completions.cursor}});
}

std::chrono::milliseconds hold_of(const JsonObject& fields, std::chrono::milliseconds longest) {
  if (!fields.has("timeout")) return longest;
  const double seconds = get_double_in(fields, "timeout", 0, 1e9, 0);
  return std::min(longest, std::chrono::milliseconds(int64_t(std::min(seconds, 60.0) * 1000)));
}

void retrieve_many(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("retrieve_futures", request.body);
  const JsonObject& fields = body.fields();
  const JsonObject target = fields.get_object("target");
  const std::string kind = target.get_string("type", "sampling_session");
  check<ValueError>(kind == "sampling_session", "retrieve_futures: target: type: wants \"sampling_session\"");
  const std::string sampler = get_text(target, "sampling_session_id");
  const int64_t clone = get_int_in(target, "cloned_sampler_id", 0, most_clones, 0);
  const int64_t cursor = get_int_in(fields, "prev_cursor", 0, int64_max, 0);
  note_unknown(target, {"sampling_session_id", "cloned_sampler_id"}, "retrieve_futures", "target.", api.unknown);
  body.known({"target", "prev_cursor", "timeout", "retrieved_request_ids"}, api.unknown);
  api.engine.retrieve_many(request.owner, sampler, clone, cursor, hold_of(fields, api.hold),
                           get_ids(fields, "retrieved_request_ids"), [respond](Reply<Completions> reply) {
                             if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
                             respond(completions_answer(std::get<Completions>(reply)));
                           });
}

// Whatever became of the request: giving up twice, or too late, is no mistake.
void cancel(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("cancel_future", request.body);
  body.known({"request_id"}, api.unknown);
  api.engine.cancel(request.owner, get_text(body.fields(), "request_id"));
  respond(json_response("{}"));
}

}  // namespace

void add_future_routes(Router& router, const Api& api) {
  const auto with = [&api](void (*handle)(const Api&, const Request&, const Respond&)) {
    return answer_errors(
        [&api, handle](const Request& request, const Respond& respond) { handle(api, request, respond); });
  };
  const RouteOptions quiet{Access::keyed, true};
  router.add("POST", "/api/v1/retrieve_future", with(retrieve), quiet);
  router.add("POST", "/api/v1/retrieve_futures", with(retrieve_many), quiet);
  router.add("POST", "/api/v1/cancel_future", with(cancel), quiet);
}

}  // namespace hearth::server
