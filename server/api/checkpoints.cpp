// Checkpoints: lists, and what can be done to one: publish, unpublish, change its end, delete.
#include <algorithm>
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "hearth/io/json.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/run_json.h"
#include "server/engine/engine.h"
#include "server/store/names.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

/// Ten years, the longest time that a client may ask for.
constexpr int64_t longest_ttl = int64_t(10) * 366 * 86400;

/// The path that a route's {run}/{type}/{name} means; what cannot be a checkpoint is not there.
std::string path_of(const Request& request) {
  const auto& p = request.parameters;
  try {
    CheckpointPath path{p[0], checkpoint_type(p[1]), p[2]};
    check_name("checkpoint", path.name);
    return path.text();
  } catch (const ValueError&) {
    not_found("checkpoint '" + p[0] + "/" + p[1] + "/" + p[2] + "'");
  }
}

boost::json::array as_json(const std::vector<CheckpointRecord>& checkpoints) {
  boost::json::array list;
  for (const CheckpointRecord& one : checkpoints) list.push_back(checkpoint_json(one));
  return list;
}

void list_of_run(Store& store, const Request& request, const Respond& respond) {
  const std::string& run = request.parameters[0];
  std::vector<CheckpointRecord> all = store.read().checkpoints_of_run(run);
  auto model = store.read().model(run);
  std::string owner = model ? model->owner : all.empty() ? "" : all[0].owner;  // a copy is a run without a model
  bool known = model || !all.empty();
  if (!known || owner != request.owner) not_found("training run '" + run + "'");
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.created > b.created; });
  respond(json_answer({{"checkpoints", as_json(shown_checkpoints(std::move(all), request))}}));
}

/// Pages are cut after the filter, so that none is shorter than it says.
void list_of_owner(Store& store, const Request& request, const Respond& respond) {
  const int64_t limit = query_number(request, "limit", 100, 0, 1000);
  const int64_t offset = query_number(request, "offset", 0, 0, INT64_MAX);
  std::vector<CheckpointRecord> all =
      shown_checkpoints(store.read().checkpoints({request.owner, INT64_MAX, 0}), request);
  const int64_t total = int64_t(all.size());
  const int64_t begin = std::min(offset, total);
  std::vector<CheckpointRecord> page(all.begin() + begin, all.begin() + begin + std::min(limit, total - begin));
  respond(json_answer({{"checkpoints", as_json(page)}, {"cursor", cursor_json(offset, limit, total)}}));
}

void set_ttl(Engine& engine, const Request& request, const Respond& respond) {
  boost::json::value body = json_body(request);
  JsonObject fields(body, "ttl");
  std::optional<int64_t> ttl;
  if (fields.has("ttl_seconds")) {
    ttl = fields.get_int("ttl_seconds");
    check<ValueError>(*ttl > 0 && *ttl <= longest_ttl, "ttl_seconds: wants 1 to ", longest_ttl, ", is ", *ttl);
  }
  engine.set_ttl(request.owner, path_of(request), ttl, answer_nothing(respond));
}

}  // namespace

void add_checkpoint_routes(Router& router, const Api& api) {
  Store* store = &api.store;
  Engine* engine = &api.engine;
  const std::string one = "/api/v1/training_runs/{run}/checkpoints/{type}/{name}";
  router.add("GET", "/api/v1/checkpoints",
             answer_errors([store](const Request& q, const Respond& r) { list_of_owner(*store, q, r); }));
  router.add("GET", "/api/v1/training_runs/{run}/checkpoints",
             answer_errors([store](const Request& q, const Respond& r) { list_of_run(*store, q, r); }));
  router.add("DELETE", one, answer_errors([engine](const Request& q, const Respond& r) {
               engine->delete_checkpoint(q.owner, path_of(q), answer_nothing(r));
             }));
  for (bool is_public : {true, false})
    router.add(is_public ? "POST" : "DELETE", one + "/publish",
               answer_errors([engine, is_public](const Request& q, const Respond& r) {
                 engine->publish(q.owner, path_of(q), is_public, answer_nothing(r));
               }));
  router.add("PUT", one + "/ttl",
             answer_errors([engine](const Request& q, const Respond& r) { set_ttl(*engine, q, r); }));
}

}  // namespace hearth::server
