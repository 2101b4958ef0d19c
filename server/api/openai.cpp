// OpenAI: /v1 and /oai/api/v1, for clients that speak OpenAI's completions and chats.
#include <algorithm>
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "server/api/openai_answer.h"
#include "server/api/openai_request.h"
#include "server/api/openai_run.h"
#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/api/run_json.h"
#include "server/engine/engine.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

using Action = std::function<void(const Request&, const Respond&)>;

/// As answer_errors, in OpenAI's form.
Handler in_openai_form(Action action) {
  return [action = std::move(action)](Request request, Respond respond) {
    try {
      action(request, respond);
    } catch (const ValueError& error) {
      respond(openai_error(400, error.what()));
    } catch (const std::exception& error) {
      respond(openai_error(500, error.what()));
    }
  };
}

bool is_served(const Engine& engine, const std::string& name) {
  const auto models = engine.base_models();
  return std::any_of(models.begin(), models.end(), [&](const BaseModelInfo& one) { return one.name == name; });
}

/// What the engine calls the model `name`: a served name, a sampler's path, or "NAME;PATH". Empty where there is none.
std::string resolve(Engine& engine, const std::string& owner, const std::string& name) {
  const size_t semicolon = name.find(';');
  const std::string base = semicolon == std::string::npos ? "" : name.substr(0, semicolon);
  const std::string rest = semicolon == std::string::npos ? name : name.substr(semicolon + 1);
  if (!rest.starts_with("tinker://")) return base.empty() && is_served(engine, rest) ? rest : "";
  auto info = engine.weights_info(owner, rest);
  if (std::holds_alternative<Refusal>(info)) return "";
  if (!base.empty()) {
    check<ValueError>(is_served(engine, base), "model: '", base, "' is not served here");
    const std::string& trained_on = std::get<WeightsInfo>(info).base_model;
    check<ValueError>(trained_on == base, "model: the checkpoint belongs to '", trained_on, "', not to '", base, "'");
  }
  return rest;
}

boost::json::value model_json(const std::string& id, Time created, const std::string& owner) {
  return {{"id", id}, {"object", "model"}, {"created", created / second}, {"owned_by", owner}};
}

/// The served models, then the caller's newest sampler checkpoints.
void list_models(const Api& api, const Request& request, const Respond& respond) {
  boost::json::array list;
  for (const BaseModelInfo& model : api.engine.base_models()) list.push_back(model_json(model.name, 0, "hearth"));
  for (const CheckpointRecord& one : shown_checkpoints(api.store.read().checkpoints({request.owner, 100, 0}), request))
    if (one.type == CheckpointType::sampler_weights)
      list.push_back(model_json(tinker_path(one), one.created, request.owner));
  respond(json_answer({{"object", "list"}, {"data", std::move(list)}}));
}

void show_model(const Api& api, const Request& request, const Respond& respond) {
  const std::string& name = request.parameters[0];
  if (resolve(api.engine, request.owner, name).empty())
    return respond(openai_error(404, "model '" + name + "' not found"));
  respond(json_answer(model_json(name, 0, request.owner)));
}

void complete(const Api& api, const Request& request, const Respond& respond, bool chat) {
  OpenAiRequest wanted = read_openai_request(request.body, chat);
  std::string model = resolve(api.engine, request.owner, wanted.model);
  if (model.empty()) return respond(openai_error(404, "model '" + wanted.model + "' not found"));
  run_openai(api.engine, request.owner, model, std::move(wanted), respond);
}

}  // namespace

void add_openai_routes(Router& router, const Api& api) {
  for (const std::string root : {"/v1", "/oai/api/v1"}) {
    auto add = [&](const char* method, const char* path, Action action) {
      router.add(method, root + path, in_openai_form(std::move(action)));
    };
    add("GET", "/models", [api](const Request& q, const Respond& r) { list_models(api, q, r); });
    add("GET", "/models/{id}", [api](const Request& q, const Respond& r) { show_model(api, q, r); });
    add("POST", "/completions", [api](const Request& q, const Respond& r) { complete(api, q, r, false); });
    add("POST", "/chat/completions", [api](const Request& q, const Respond& r) { complete(api, q, r, true); });
  }
}

}  // namespace hearth::server
