// Runs: training runs as lists and one by one. A run is a model under training; both have one id.
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/run_json.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

void check_scope(const Request& request) {
  std::string_view scope = request.query_or("access_scope", "owned");
  check<ValueError>(scope == "owned" || scope == "accessible", "access_scope: wants owned or accessible, is '", scope,
                    "'");
}

void list_runs(Store& store, const Request& request, const Respond& respond) {
  check_scope(request);
  ListOptions options{request.owner, query_number(request, "limit", 20, 0, 1000),
                      query_number(request, "offset", 0, 0, INT64_MAX)};
  std::string project(request.query_or("project_id", ""));
  Tables& tables = store.read();
  boost::json::array runs;
  if (options.limit > 0)
    for (const ModelRecord& model : tables.models(options, project)) runs.push_back(run_json(tables, model));
  respond(json_answer(
      {{"training_runs", std::move(runs)},
       {"cursor", cursor_json(options.offset, options.limit, tables.count_models(request.owner, project))}}));
}

void show_run(Store& store, const Request& request, const Respond& respond) {
  check_scope(request);
  auto model = store.read().model(request.parameters[0]);
  if (!model || model->owner != request.owner) not_found("training run '" + request.parameters[0] + "'");
  respond(json_answer(run_json(store.read(), *model)));
}

}  // namespace

void add_run_routes(Router& router, const Api& api) {
  Store* store = &api.store;
  router.add("GET", "/api/v1/training_runs",
             answer_errors([store](const Request& q, const Respond& r) { list_runs(*store, q, r); }));
  router.add("GET", "/api/v1/training_runs/{run}",
             answer_errors([store](const Request& q, const Respond& r) { show_run(*store, q, r); }));
}

}  // namespace hearth::server
