// Requests that make, fill and drop a model: create_model, load_weights, unload_model.
#include <algorithm>
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "server/wire/decode.h"
#include "server/wire/shown.h"
#include "server/wire/tinker_path.h"

namespace hearth::server {

namespace json = boost::json;

namespace {

bool neutral(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return true;
    case json::kind::bool_:
      return !value.get_bool();
    case json::kind::int64:
      return value.get_int64() == 0;
    case json::kind::uint64:
      return false;
    case json::kind::double_:
      return value.get_double() == 0;
    case json::kind::string:
      return value.get_string().empty();
    case json::kind::array:
      return value.get_array().empty();
    case json::kind::object:
      return value.get_object().empty();
  }
  return false;
}

}  // namespace

void refuse_unknown_settings(const JsonObject& settings, std::initializer_list<std::string_view> names,
                             std::string_view request, std::string_view prefix, UnknownFields* unknown) {
  for (const auto& member : settings.object()) {
    const std::string_view key(member.key().data(), member.key().size());
    if (key == "type" || std::find(names.begin(), names.end(), key) != names.end()) continue;
    check<ValueError>(neutral(member.value()), settings.where(), ": ", key.substr(0, 100),
                      ": is not known to this server, so it cannot be honoured");
  }
  note_unknown(settings, names, request, prefix, unknown);
}

void check_optimizer(const JsonObject& request, std::string_view key, std::string_view name, UnknownFields* unknown) {
  if (!request.has(key)) return;
  const JsonObject config = request.get_object(key);
  const std::string type = config.get_string("type", "adamw");
  check<ValueError>(type == "adamw", config.where(), ": type: is not offered: ", shown(type), "; use \"adamw\"");
  refuse_unknown_settings(config, {}, name, std::string(key) + ".", unknown);
}

CreateModel decode_create_model(std::string_view bytes, UnknownFields* unknown, const WireLimits& limits) {
  const JsonBody body("create_model", bytes);
  const JsonObject& fields = body.fields();
  CreateModel command;
  command.session_id = get_text(fields, "session_id");
  command.model_seq_id = get_int_in(fields, "model_seq_id", 0, int32_max);
  command.base_model = get_text(fields, "base_model");
  check<ValueError>(fields.has("lora_config"), "create_model: lora_config: is missing; only LoRA is offered");
  const JsonObject lora = fields.get_object("lora_config");
  command.rank = get_int_in(lora, "rank", 1, 65536, 32);
  command.seed = find_seed(lora, "seed");
  command.train_mlp = lora.get_bool("train_mlp", true);
  command.train_attn = lora.get_bool("train_attn", true);
  command.train_unembed = lora.get_bool("train_unembed", true);
  check<ValueError>(
      command.train_mlp || command.train_attn || command.train_unembed,
      "create_model: lora_config: train_mlp, train_attn and train_unembed are all false: nothing to train");
  refuse_unknown_settings(lora, {"rank", "seed", "train_mlp", "train_attn", "train_unembed"}, "create_model",
                          "lora_config.", unknown);
  check_optimizer(fields, "optimizer_config", "create_model", unknown);
  command.user_metadata = get_metadata(fields, "user_metadata", limits.metadata_bytes, false);
  body.known({"session_id", "model_seq_id", "base_model", "user_metadata", "lora_config", "optimizer_config"}, unknown);
  return command;
}

LoadWeights decode_load_weights(std::string_view bytes, UnknownFields* unknown, const WireLimits& limits) {
  const JsonBody body("load_weights", bytes);
  const JsonObject& fields = body.fields();
  LoadWeights command;
  if (fields.has("model_id")) {
    check<ValueError>(!fields.has("model_seq_id"),
                      "load_weights: model_seq_id: makes a new model, but model_id names an existing one");
    command.model_id = get_text(fields, "model_id");
    command.seq_id = get_int_in(fields, "seq_id", 1, int64_max);
    refuse_field(fields, "base_model", "the model has its base already");
  } else {
    command.session_id = get_text(fields, "session_id");
    command.model_seq_id = get_int_in(fields, "model_seq_id", 0, int32_max);
    command.model_id = training_id(command.session_id, *command.model_seq_id);
    command.base_model = find_text(fields, "base_model");
    if (fields.has("user_metadata")) {
      command.user_metadata = get_metadata(fields, "user_metadata", limits.metadata_bytes, false);
    }
  }
  command.path = get_text(fields, "path");
  const TinkerPath path = parse_tinker_path(command.path, "load_weights: path");
  check<ValueError>(path.type == "weights",
                    "load_weights: path: wants a training checkpoint (weights): ", shown(command.path));
  command.optimizer = fields.get_bool("optimizer", false);
  refuse_field(fields, "weights_access_token", "publish the checkpoint or copy it");
  check_optimizer(fields, "optimizer_config", "load_weights", unknown);
  body.known({"model_id", "seq_id", "session_id", "model_seq_id", "base_model", "user_metadata", "path", "optimizer",
              "weights_access_token", "optimizer_config"},
             unknown);
  return command;
}

UnloadModel decode_unload_model(std::string_view bytes, UnknownFields* unknown) {
  const JsonBody body("unload_model", bytes);
  UnloadModel command{get_text(body.fields(), "model_id")};
  body.known({"model_id"}, unknown);
  return command;
}

}  // namespace hearth::server
