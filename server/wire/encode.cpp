// Results that travel as JSON.
#include <boost/json.hpp>
#include <cmath>

#include "server/wire/result.h"

namespace hearth::server {

namespace json = boost::json;

namespace {

Payload payload(const json::object& object) { return {std::string(json_type), json::serialize(object)}; }

std::string_view save_name(SaveWeights::Kind kind) {
  switch (kind) {
    case SaveWeights::training:
      return command_name(CommandKind::save_weights);
    case SaveWeights::sampler:
      return command_name(CommandKind::save_weights_for_sampler);
    case SaveWeights::external:
      return command_name(CommandKind::save_weights_external);
  }
  return "";
}

}  // namespace

std::string_view category_name(FailureCategory category) {
  switch (category) {
    case FailureCategory::unknown:
      return "unknown";
    case FailureCategory::server:
      return "server";
    case FailureCategory::user:
      return "user";
  }
  return "unknown";
}

Payload encode(const CreateModelResult& result) {
  return payload({{"model_id", result.model_id}, {"type", "create_model"}});
}

Payload encode(const UnloadModelResult& result) {
  return payload({{"model_id", result.model_id}, {"type", "unload_model"}});
}

Payload encode(const OptimStepResult& result) {
  json::object metrics;
  for (const auto& [name, value] : result.metrics) {
    if (std::isfinite(value)) metrics[name] = value;
  }
  return payload({{"metrics", std::move(metrics)}});
}

Payload encode(const LoadWeightsResult& result) {
  return payload({{"path", result.path}, {"model_id", result.model_id}, {"type", "load_weights"}});
}

Payload encode(const SaveWeightsResult& result) {
  json::object object;
  if (result.path) object["path"] = *result.path;
  if (result.sampling_session_id) object["sampling_session_id"] = *result.sampling_session_id;
  if (result.size_bytes) object["size_bytes"] = *result.size_bytes;
  object["type"] = save_name(result.kind);
  return payload(object);
}

Payload encode(const Failure& failure) {
  return payload({{"error", failure.message}, {"category", category_name(failure.category)}});
}

}  // namespace hearth::server
