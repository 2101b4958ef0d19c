// The service itself: its health, what it serves, how clients should talk to it, and what they report.
#include <boost/json.hpp>

#include "server/api/metrics.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/telemetry.h"
#include "server/engine/engine.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

// One answer for every version of the client: flags that one does not know it ignores, and what is off by itself is
// said all the same, so that this list is complete.
json::object client_config() {
  return {{"use_pyqwest_transport", false},
          {"pjwt_auth_enabled", false},
          {"credential_default_source", "api_key"},
          {"parallel_fwdbwd_chunks", true},
          {"proto_compress_fwdbwd", false},
          // A request becomes as many units as it needs, so the fewer requests the better, within the body limit.
          {"fwdbwd_max_chunk_len", 4096},
          {"fwdbwd_max_chunk_bytes_count", 32'000'000},
          {"fwdbwd_dispatch_bytes_semaphore_size", 128'000'000},
          {"sample_use_retrieve_futures", true},
          {"sample_join_sampling_session", true},
          {"custom_loss_server_side", false},
          {"create_model_via_load_weights", true}};
}

json::object dynamic_config() {
  return {{"refresh_interval_sec", 300}, {"sample_cancel_enabled", true}, {"sample_cancel_max_batch_size", 64}};
}

json::object capabilities(const Engine& engine) {
  json::array models;
  for (const BaseModelInfo& model : engine.base_models()) {
    models.push_back(
        {{"model_name", model.name}, {"max_context_length", model.context}, {"trainable", true}, {"sampleable", true}});
  }
  return {{"supported_models", std::move(models)}};
}

Response health(const EngineStatus& status) {
  if (!status.trouble.empty()) return json_answer({{"status", "failed"}, {"detail", status.trouble}}, 503);
  if (status.draining) return json_answer({{"status", "draining"}, {"detail", "the server is stopping"}}, 503);
  if (!status.ready) return json_answer({{"status", "starting"}, {"detail", "runs are being recovered"}}, 503);
  return json_answer({{"status", "ok"}});
}

}  // namespace

void add_service_routes(Router& router, const Api& api) {
  for (const char* path : {"/healthz", "/api/v1/healthz"}) {
    router.add("GET", path, [&api](Request, Respond respond) { respond(health(api.engine.status())); },
               {Access::open, true});
  }
  router.add("GET", "/metrics",
             [&api](Request, Respond respond) {
               Response response = json_response((api.http_metrics ? api.http_metrics() : std::string()) +
                                                 engine_metrics(api.engine.status()));
               response.content_type = "text/plain; version=0.0.4; charset=utf-8";
               respond(std::move(response));
             },
             {Access::keyed, true});
  router.add("GET", "/api/v1/get_server_capabilities",
             [&api](Request, Respond respond) { respond(json_answer(capabilities(api.engine))); });
  const auto constant = [](std::string body) {
    return [body = std::move(body)](Request, Respond respond) { respond(json_response(body)); };
  };
  router.add("POST", "/api/v1/client/config", constant(json::serialize(client_config())));
  router.add("POST", "/api/v1/client/dynamic_config", constant(json::serialize(dynamic_config())),
             {Access::keyed, true});
  router.add("POST", "/api/v1/telemetry",
             [](Request request, Respond respond) {
               log_telemetry(request.body);
               respond(json_response(R"({"status":"accepted"})"));
             },
             {Access::keyed, true});
}

}  // namespace hearth::server
