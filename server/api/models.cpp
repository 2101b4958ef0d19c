// Models: made, dropped, and what is known of them.
#include <boost/json.hpp>

#include "server/api/submit.h"
#include "server/wire/body.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

json::object describe(const ModelInfo& info) {
  json::object data{{"arch", info.arch}, {"model_name", info.base_model}};
  if (!info.tokenizer.empty()) data["tokenizer_id"] = info.tokenizer;
  return {{"type", "get_info"},           {"model_id", info.id},           {"is_lora", true},
          {"lora_rank", info.rank},       {"model_name", info.base_model}, {"optimizer_config", {{"type", "adamw"}}},
          {"model_data", std::move(data)}};
}

void get_info(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("get_info", request.body);
  body.known({"model_id"}, api.unknown);
  const Reply<ModelInfo> info = api.engine.model_info(request.owner, get_text(body.fields(), "model_id"));
  if (const auto* no = std::get_if<Refusal>(&info)) return respond(refused(*no));
  respond(json_answer(describe(std::get<ModelInfo>(info))));
}

}  // namespace

void add_model_routes(Router& router, const Api& api) {
  router.add("POST", "/api/v1/create_model", submit_handler(api, CommandKind::create_model));
  router.add("POST", "/api/v1/unload_model", submit_handler(api, CommandKind::unload_model));
  router.add("POST", "/api/v1/get_info", answer_errors([&api](const Request& request, const Respond& respond) {
               get_info(api, request, respond);
             }));
}

}  // namespace hearth::server
