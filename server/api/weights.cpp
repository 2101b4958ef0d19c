// Weights: what a checkpoint is, and copies of it.
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "hearth/io/json.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/engine/engine.h"
#include "server/store/names.h"

namespace hearth::server {
namespace {

void weights_info(Engine& engine, const Request& request, const Respond& respond) {
  boost::json::value body = json_body(request);
  std::string path = JsonObject(body, "weights_info").get_string("tinker_path");
  parse_checkpoint_path(path);
  auto reply = engine.weights_info(request.owner, path);
  if (auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
  const auto& info = std::get<WeightsInfo>(reply);
  respond(json_answer({{"base_model", info.base_model},
                       {"is_lora", true},
                       {"lora_rank", info.rank},
                       {"train_unembed", info.train_unembed},
                       {"train_mlp", info.train_mlp},
                       {"train_attn", info.train_attn}}));
}

void copy_weights(Engine& engine, const Request& request, const Respond& respond) {
  boost::json::value body = json_body(request);
  JsonObject fields(body, "copy_weights");
  check<ValueError>(!fields.has("weights_access_token") && request.header("x-tinker-weights-access-token").empty(),
                    "copy_weights: weights_access_token: is not supported; publish the checkpoint instead");
  std::string path = fields.get_string("source_path");
  parse_checkpoint_path(path);
  std::optional<int64_t> model_seq_id, ttl;
  if (fields.has("model_seq_id")) model_seq_id = fields.get_int("model_seq_id");
  if (fields.has("ttl_seconds")) {
    ttl = fields.get_int("ttl_seconds");
    check<ValueError>(*ttl > 0, "copy_weights: ttl_seconds: wants a number above 0, is ", *ttl);
  }
  const std::string session = fields.get_string("session_id", ""),
                    project = fields.get_string("destination_project_id", "");
  check<ValueError>(session.empty() || project.empty(),
                    "copy_weights: destination_project_id: a copy in a session belongs to the session's project");
  engine.copy_weights(request.owner, path, session, project, model_seq_id, ttl, [respond](Reply<std::string> reply) {
    if (auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
    respond(json_answer({{"tinker_path", std::get<std::string>(reply)}}));
  });
}

}  // namespace

void add_weights_routes(Router& router, const Api& api) {
  Engine* engine = &api.engine;
  router.add("POST", "/api/v1/weights_info",
             answer_errors([engine](const Request& q, const Respond& r) { weights_info(*engine, q, r); }));
  router.add("POST", "/api/v1/copy_weights",
             answer_errors([engine](const Request& q, const Respond& r) { copy_weights(*engine, q, r); }));
}

}  // namespace hearth::server
