// Sampling: samplers, their clones, and asample.
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "server/api/submit.h"
#include "server/wire/body.h"

namespace hearth::server {
namespace {

namespace json = boost::json;

void create_sampler(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("create_sampling_session", request.body);
  const JsonObject& fields = body.fields();
  NewSampler sampler;
  sampler.session_id = get_text(fields, "session_id");
  sampler.seq_id = get_int_in(fields, "sampling_session_seq_id", 0, int64_max);
  sampler.base_model = find_text(fields, "base_model").value_or("");
  sampler.model_path = find_text(fields, "model_path").value_or("");
  check<ValueError>(!sampler.base_model.empty() || !sampler.model_path.empty(),
                    "create_sampling_session: base_model: is missing, and so is model_path");
  body.known({"session_id", "sampling_session_seq_id", "base_model", "model_path"}, api.unknown);
  api.engine.create_sampler(request.owner, std::move(sampler), [respond](Reply<std::string> reply) {
    if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
    respond(json_answer({{"type", "create_sampling_session"}, {"sampling_session_id", std::get<std::string>(reply)}}));
  });
}

void join_sampler(const Api& api, const Request& request, const Respond& respond) {
  const JsonBody body("join_sampling_session", request.body);
  body.known({"sampling_session_id"}, api.unknown);
  api.engine.join_sampler(
      request.owner, get_text(body.fields(), "sampling_session_id"), [respond](Reply<int64_t> reply) {
        if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
        respond(json_answer({{"type", "join_sampling_session"}, {"client_counter", std::get<int64_t>(reply)}}));
      });
}

void describe_sampler(const Api& api, const Request& request, const Respond& respond) {
  const Reply<SamplerInfo> reply = api.engine.sampler_info(request.owner, request.parameters[0]);
  if (const auto* no = std::get_if<Refusal>(&reply)) return respond(refused(*no));
  const SamplerInfo& info = std::get<SamplerInfo>(reply);
  json::object answer{{"sampler_id", info.id}, {"base_model", info.base_model}, {"model_path", nullptr}};
  if (!info.model_path.empty()) answer["model_path"] = info.model_path;
  respond(json_answer(answer));
}

Handler sample_handler(const Api& api) {
  return [engine = &api.engine](Request request, Respond respond) {
    std::string body = std::move(request.body);
    answer_errors([&](const Request& request, const Respond& respond) {
      engine->sample(request.owner, std::move(body), answer_accepted(respond));
    })(std::move(request), std::move(respond));
  };
}

}  // namespace

void add_sampling_routes(Router& router, const Api& api) {
  const auto with = [&api](void (*handle)(const Api&, const Request&, const Respond&)) {
    return answer_errors(
        [&api, handle](const Request& request, const Respond& respond) { handle(api, request, respond); });
  };
  router.add("POST", "/api/v1/create_sampling_session", with(create_sampler));
  router.add("POST", "/api/v1/join_sampling_session", with(join_sampler));
  router.add("GET", "/api/v1/samplers/{id}", with(describe_sampler));
  router.add("POST", "/api/v1/asample", sample_handler(api), {Access::keyed, true});
}

}  // namespace hearth::server
