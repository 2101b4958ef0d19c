// Session records: sessions as lists, one by one, and as a trace of what they did.
#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "hearth/core/error.h"
#include "hearth/io/json.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/run_json.h"
#include "server/api/session_search.h"
#include "server/api/signed_urls.h"
#include "server/http/loop.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

SessionRecord owned_session(Store& store, const Request& request) {
  auto session = store.read().session(request.parameters[0]);
  if (!session || session->owner != request.owner) not_found("session '" + request.parameters[0] + "'");
  return *session;
}

void list_sessions(Store& store, const Request& request, const Respond& respond) {
  ListOptions options{request.owner, query_number(request, "limit", 20, 0, 1000),
                      query_number(request, "offset", 0, 0, INT64_MAX)};
  boost::json::array ids;
  if (options.limit > 0)
    for (const SessionRecord& session : store.read().sessions(options)) ids.push_back(session.id.c_str());
  respond(json_answer({{"sessions", std::move(ids)}}));
}

void show_session(Store& store, const Request& request, const Respond& respond) {
  SessionRecord session = owned_session(store, request);
  boost::json::array runs, samplers;
  for (const ModelRecord& model : store.read().models_of_session(session.id)) runs.push_back(model.id.c_str());
  for (const SamplerRecord& one : store.read().samplers_of_session(session.id)) samplers.push_back(one.id.c_str());
  boost::json::object answer{{"training_run_ids", std::move(runs)}, {"sampler_ids", std::move(samplers)}};
  boost::json::value metadata = string_metadata(session.user_metadata);
  if (!metadata.is_null()) answer["user_metadata"] = std::move(metadata);
  if (!session.display_name.empty()) answer["display_name"] = session.display_name;
  respond(json_answer(answer));
}

void set_project(const Api& api, const Request& request, const Respond& respond) {
  boost::json::value body = json_body(request);
  std::string project = JsonObject(body, "project").get_string("project_id");
  check<ValueError>(!project.empty() && project.size() <= 255, "project_id: wants 1 to 255 bytes, has ",
                    project.size());
  SessionRecord session = owned_session(api.store, request);
  Loop* loop = &api.loop;
  api.store.write([id = session.id, project](Tables& tables) { tables.set_session_project(id, project); },
                  [loop, respond](std::exception_ptr error) {
                    loop->post([respond, error] {
                      respond(error ? error_response(500, "the project could not be stored") : json_response("{}"));
                    });
                  });
}

/// What the session's models did, as a trace for Perfetto or chrome://tracing: one row a model, one bar a request from
/// its arrival to its end.
boost::json::value trace_json(Tables& tables, const SessionRecord& session) {
  boost::json::array events;
  int64_t row = 0;
  for (const ModelRecord& model : tables.models_of_session(session.id)) {
    ++row;
    events.push_back({{"ph", "M"}, {"name", "thread_name"}, {"pid", 1}, {"tid", row}, {"args", {{"name", model.id}}}});
    for (const OperationRecord& one : tables.operation_briefs(model.id)) {
      if (one.outcome.state == OperationState::queued) continue;
      boost::json::object arguments{{"seq_id", one.seq_id}, {"request_id", one.request_id}};
      if (one.outcome.state == OperationState::failed) arguments["error"] = one.outcome.error;
      events.push_back({{"ph", "X"},
                        {"name", one.kind},
                        {"pid", 1},
                        {"tid", row},
                        {"ts", one.received - session.created},
                        {"dur", std::max<Time>(0, one.outcome.finished - one.received)},
                        {"args", std::move(arguments)}});
    }
  }
  return {{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
}

}  // namespace

void add_session_record_routes(Router& router, const Api& api) {
  Store* store = &api.store;
  router.add("GET", "/api/v1/sessions",
             answer_errors([store](const Request& q, const Respond& r) { list_sessions(*store, q, r); }));
  router.add("GET", "/api/v1/sessions/{id}",
             answer_errors([store](const Request& q, const Respond& r) { show_session(*store, q, r); }));
  router.add("PUT", "/api/v1/sessions/{id}/project",
             answer_errors([api](const Request& q, const Respond& r) { set_project(api, q, r); }));
  router.add("POST", "/api/v1/sessions/search",
             answer_errors([store](const Request& q, const Respond& r) { search_sessions(*store, q, r); }));
  router.add("GET", "/api/v1/sessions/{id}/trace_export", answer_errors([api](const Request& q, const Respond& r) {
               const std::string path = "/api/v1/traces/" + owned_session(api.store, q).id;
               const Time expires = time_now() + signed_url_lifetime;
               r(json_answer({{"status", "ready"}, {"url", signed_url(api, q, path, expires)}}));
             }));
  router.add("GET", "/api/v1/traces/{id}", answer_errors([store](const Request& q, const Respond& r) {
               check_signature(*store, q);
               auto session = store->read().session(q.parameters[0]);
               if (!session) not_found("session '" + q.parameters[0] + "'");
               r(json_answer(trace_json(store->read(), *session)));
             }),
             RouteOptions(Access::open));
}

}  // namespace hearth::server
