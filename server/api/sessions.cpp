// Sessions: begun, kept alive, finished.
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/engine/engine.h"
#include "server/wire/body.h"
#include "server/wire/shown.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

constexpr int64_t most_metadata = int64_t(1) << 16;

std::string get_tags(const JsonObject& fields) {
  if (!fields.has("tags")) return "[]";
  const json::array& tags = fields.get_array("tags");
  check<ValueError>(tags.size() <= 100, "create_session: tags: more than 100: ", tags.size());
  for (const json::value& tag : tags) {
    check<ValueError>(tag.is_string() && tag.get_string().size() <= 1024,
                      "create_session: tags: wants strings of at most 1024 bytes, holds ", json_kind(tag));
  }
  return json::serialize(tags);
}

std::string get_optional_text(const JsonObject& fields, std::string_view key) {
  const std::string text = fields.get_string(key, "");
  return text.empty() ? text : get_text(fields, key);
}

void create_session(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("create_session", request.body);
  const JsonObject& fields = body.fields();
  NewSession session;
  session.tags = get_tags(fields);
  session.user_metadata = get_metadata(fields, "user_metadata", most_metadata, false);
  session.sdk_version = get_optional_text(fields, "sdk_version");
  session.project_id = get_optional_text(fields, "project_id");
  session.display_name = get_optional_text(fields, "display_name");
  body.known({"tags", "user_metadata", "sdk_version", "project_id", "display_name"}, api.unknown);
  api.engine.create_session(request.owner, std::move(session), [respond](Reply<std::string> reply) {
    if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
    respond(json_answer({{"type", "create_session"}, {"session_id", std::get<std::string>(reply)}}));
  });
}

void heartbeat(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("session_heartbeat", request.body);
  body.known({"session_id"}, api.unknown);
  const Reply<Nothing> reply = api.engine.heartbeat(request.owner, get_text(body.fields(), "session_id"));
  if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
  respond(json_answer({{"type", "session_heartbeat"}}));
}

// {"reason": {"type": "success" / "errored" / "interrupted"}, "detail": text or null}
void finish_session(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("finish", request.body);
  const JsonObject& fields = body.fields();
  std::string reason = "success";
  if (fields.has("reason")) {
    const JsonObject given = fields.get_object("reason");
    reason = given.get_string("type", reason);
    check<ValueError>(reason.size() <= 100, "finish: reason: type: is longer than 100 bytes");
    note_unknown(given, {}, "finish", "reason.", api.unknown);
  }
  std::string detail = fields.get_string("detail", "");
  check<ValueError>(detail.size() <= most_metadata, "finish: detail: is longer than ", most_metadata, " bytes");
  note_unknown(fields, {"reason", "detail"}, "finish", "", api.unknown);
  api.engine.finish_session(request.owner, request.parameters[0], reason, detail, answer_nothing(respond));
}

}  // namespace

void add_session_routes(Router& router, const Api& api) {
  const auto with = [&api](void (*handle)(const Api&, const Request&, const Respond&)) {
    return answer_errors(
        [&api, handle](const Request& request, const Respond& respond) { handle(api, request, respond); });
  };
  router.add("POST", "/api/v1/create_session", with(create_session));
  router.add("POST", "/api/v1/session_heartbeat", with(heartbeat), {Access::keyed, true});
  router.add("POST", "/api/v1/sessions/{id}/finish", with(finish_session));
}

}  // namespace hearth::server
