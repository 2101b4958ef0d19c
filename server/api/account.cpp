// Account: whose key it is, what was done with it, and what it used. Nothing costs anything here, so no prices.
#include <boost/json.hpp>
#include <map>

#include "hearth/core/error.h"
#include "hearth/io/json.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/run_json.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

constexpr Time day = 86400 * second;

Time query_time(const Request& request, const std::string& name) {
  std::string_view text = request.query_or(name, "");
  auto time = parse_time(text);
  check<ValueError>(time.has_value(), name, ": wants a date or a time such as 2026-11-24T00:00:00Z, is '", text, "'");
  return *time;
}

void show_key(const Request& request, const Respond& respond) {
  respond(
      json_answer({{"key_id", 0},
                   {"name", request.owner},
                   {"note", ""},
                   {"details", {{"org_details", {{"name", "local"}}}, {"user_details", {{"email", request.owner}}}}}}));
}

boost::json::value entry_json(const AuditRecord& entry) {
  boost::json::object object{{"timestamp", iso_time(entry.time)}, {"event", entry.event}};
  if (!entry.model_id.empty()) object["model_id"] = entry.model_id;
  if (!entry.path.empty()) object["tinker_path"] = entry.path;
  boost::system::error_code error;
  boost::json::value detail = boost::json::parse(entry.detail, error);
  if (!error && detail.is_object() && !detail.get_object().empty()) object["event_details"] = std::move(detail);
  return object;
}

void audit_log(Store& store, const Request& request, const Respond& respond) {
  std::string_view type = request.query_or("event_type", "all");
  bool checkpoints = type == "checkpoints";
  check<ValueError>(checkpoints || type == "all", "event_type: wants all or checkpoints, is '", type, "'");
  Time from = time_now() / day * day;
  if (request.query.count("day")) from = query_time(request, "day");
  boost::json::array entries;
  for (const AuditRecord& entry : store.read().audit(request.owner, from, from + day))
    if (!checkpoints || !entry.path.empty()) entries.push_back(entry_json(entry));
  respond(json_answer({{"entries", std::move(entries)}}));
}

/// The payload of a usage event; clients refuse fields that they do not know in it.
boost::json::value usage_info(const UsageRecord& usage) {
  if (usage.kind == "checkpoint") return {{"type", usage.kind}, {"count", usage.tokens}};
  if (usage.kind.starts_with("sampling_prefill"))
    return {{"type", "sampling_prefill"},
            {"cached", usage.kind == "sampling_prefill_cached"},
            {"token_count", usage.tokens}};
  return {{"type", usage.kind}, {"token_count", usage.tokens}};
}

void usage_report(Store& store, const Request& request, const Respond& respond) {
  const Time from = query_time(request, "starting_on"), to = query_time(request, "ending_before");
  check<ValueError>(from < to, "starting_on: must be before ending_before");
  boost::json::array data;
  boost::json::object sessions;
  Tables& tables = store.read();
  for (const UsageRecord& usage : tables.usage(request.owner, from, to)) {
    boost::json::object event{{"bucket_start", iso_time(usage.bucket)},
                              {"bucket_end", iso_time(usage.bucket + 3600 * second)},
                              {"user_id", usage.owner},
                              {"user_name", usage.owner},
                              {"event_info", usage_info(usage)}};
    if (!usage.base_model.empty()) event["base_model"] = usage.base_model;
    auto session = usage.session_id.empty() ? std::nullopt : tables.session(usage.session_id);
    if (session) {
      event["session_id"] = session->id;
      if (!session->project_id.empty()) event["project_id"] = session->project_id;
      sessions[session->id] = {{"user_metadata", string_metadata(session->user_metadata)}};
    }
    data.push_back(std::move(event));
  }
  respond(json_answer({{"data", std::move(data)}, {"sessions", std::move(sessions)}}));
}

/// What checkpoints take on disk now, by project.
void storage_report(Store& store, const Request& request, const Respond& respond) {
  struct Sum {
    int64_t count = 0, bytes = 0;
  };
  std::map<std::string, Sum> projects;
  Tables& tables = store.read();
  for (const CheckpointRecord& one : tables.checkpoints({request.owner, INT64_MAX, 0})) {
    if (one.expires && *one.expires <= time_now()) continue;
    auto model = tables.model(one.run);
    auto session = model ? tables.session(model->session_id) : std::nullopt;
    Sum& sum = projects[session ? session->project_id : ""];
    ++sum.count;
    sum.bytes += one.size;
  }
  std::string_view wanted = request.query_or("project_id", "");
  boost::json::array data;
  for (const auto& [project, sum] : projects) {
    if (!wanted.empty() && project != wanted) continue;
    boost::json::object item{{"user_name", request.owner},
                             {"checkpoint_count", sum.count},
                             {"size_bytes", sum.bytes},
                             {"size_gigabytes", double(sum.bytes) / 1e9}};
    if (!project.empty()) item["project_id"] = project;
    data.push_back(std::move(item));
  }
  respond(json_answer({{"data", std::move(data)}}));
}

}  // namespace

void add_account_routes(Router& router, const Api& api) {
  Store* store = &api.store;
  router.add("GET", "/api/v1/auth/apikey/me", answer_errors(show_key));
  router.add("DELETE", "/api/v1/auth/apikey/me", answer_errors([](const Request&, const Respond& respond) {
               respond(error_response(403, "keys are removed in the server's keys file, by who runs the server"));
             }));
  router.add("POST", "/api/v1/auth/token", answer_errors([](const Request&, const Respond& respond) {
               respond(error_response(404, "this server takes API keys as they are; there are no tokens"));
             }));
  router.add("GET", "/api/v1/audit",
             answer_errors([store](const Request& q, const Respond& r) { audit_log(*store, q, r); }));
  router.add("GET", "/api/v1/billing/usage/events",
             answer_errors([store](const Request& q, const Respond& r) { usage_report(*store, q, r); }));
  router.add("GET", "/api/v1/billing/usage/checkpoints/current",
             answer_errors([store](const Request& q, const Respond& r) { storage_report(*store, q, r); }));
}

}  // namespace hearth::server
