// Requests that change or keep a model's weights: optim_step and the three kinds of saving; and the choice among all.
#include <boost/json.hpp>
#include <cmath>

#include "hearth/core/error.h"
#include "server/wire/decode.h"
#include "server/wire/shown.h"
#include "server/wire/tinker_path.h"

namespace hearth::server {
namespace {

constexpr int64_t ten_years = int64_t(3653) * 24 * 3600;

void check_adam_fields(const JsonObject& adam, UnknownFields* unknown) {
  // Clients write NaN and infinities as null: taking the default for them would hide a mistake.
  for (const auto& entry : adam.object())
    check<ValueError>(!entry.value().is_null(), adam.where(), ": ", std::string_view(entry.key()),
                      ": wants a number, is null");
  refuse_unknown_settings(adam, {"learning_rate", "beta1", "beta2", "eps", "weight_decay", "grad_clip_norm"},
                          "optim_step", "adam_params.", unknown);
}

std::vector<std::string> get_recipients(const JsonObject& fields) {
  std::vector<std::string> recipients;
  if (!fields.has("age_encryption_recipients")) return recipients;
  for (const boost::json::value& element : fields.get_array("age_encryption_recipients")) {
    const auto* text = element.if_string();
    check<ValueError>(text != nullptr, "save_weights_external: age_encryption_recipients: wants strings, holds ",
                      json_kind(element));
    const std::string_view recipient(text->data(), text->size());
    check<ValueError>(
        recipient.starts_with("age1") && recipient.size() <= 100,
        "save_weights_external: age_encryption_recipients: wants X25519 keys (age1...): ", shown(recipient));
    recipients.emplace_back(recipient);
  }
  check<ValueError>(recipients.size() <= 64,
                    "save_weights_external: age_encryption_recipients: more than 64: ", recipients.size());
  return recipients;
}

void decode_target(const JsonObject& fields, SaveWeights& command) {
  if (command.kind == SaveWeights::sampler && !fields.has("path")) {
    check<ValueError>(fields.has("sampling_session_seq_id"), fields.where(),
                      ": path: is missing, and so is sampling_session_seq_id");
    command.sampling_session_seq_id = get_int_in(fields, "sampling_session_seq_id", 0, int64_max);
    return;
  }
  command.name = get_text(fields, "path");
  check_checkpoint_name(*command.name, fields.where() + ": path");
  if (command.kind == SaveWeights::sampler) {
    refuse_field(fields, "sampling_session_seq_id", "path gives the weights a name, so there is no ephemeral sampler");
  }
}

}  // namespace

OptimStep decode_optim_step(std::string_view bytes, UnknownFields* unknown) {
  const JsonBody body("optim_step", bytes);
  const JsonObject& fields = body.fields();
  OptimStep command;
  command.model_id = get_text(fields, "model_id");
  command.seq_id = get_int_in(fields, "seq_id", 1, int64_max);
  if (fields.has("optimizer_params")) {
    const JsonObject params = fields.get_object("optimizer_params");
    fail<ValueError>("optim_step: optimizer_params: type: is not offered: ", shown(params.get_string("type", "")),
                     "; send adam_params");
  }
  const JsonObject adam = fields.get_object("adam_params");
  constexpr double most = 1e30;
  command.learning_rate = get_double_in(adam, "learning_rate", 0, most, command.learning_rate);
  command.beta1 = get_double_in(adam, "beta1", 0, 1, command.beta1);
  command.beta2 = get_double_in(adam, "beta2", 0, 1, command.beta2);
  check<ValueError>(command.beta1 < 1, adam.where(), ": beta1: must be less than 1: ", command.beta1);
  check<ValueError>(command.beta2 < 1, adam.where(), ": beta2: must be less than 1: ", command.beta2);
  command.eps = get_double_in(adam, "eps", 0, most, command.eps);
  // A parameter without a gradient (B is zero at first, so A has none) would become 0 / 0.
  check<ValueError>(float(command.eps) > 0, adam.where(), ": eps: must be greater than 0: ", command.eps);
  command.weight_decay = get_double_in(adam, "weight_decay", 0, most, command.weight_decay);
  command.grad_clip_norm = get_double_in(adam, "grad_clip_norm", 0, most, command.grad_clip_norm);
  check_adam_fields(adam, unknown);
  body.known({"model_id", "seq_id", "adam_params", "optimizer_params"}, unknown);
  return command;
}

SaveWeights decode_save_weights(CommandKind kind, std::string_view bytes, UnknownFields* unknown,
                                const WireLimits& limits) {
  const JsonBody body(command_name(kind), bytes);
  const JsonObject& fields = body.fields();
  SaveWeights command;
  command.kind = kind == CommandKind::save_weights               ? SaveWeights::training
                 : kind == CommandKind::save_weights_for_sampler ? SaveWeights::sampler
                                                                 : SaveWeights::external;
  command.model_id = get_text(fields, "model_id");
  command.seq_id = get_int_in(fields, "seq_id", 1, int64_max);
  decode_target(fields, command);
  command.ttl_seconds = find_int_in(fields, "ttl_seconds", 1, ten_years);
  command.overwrite = fields.get_bool("overwrite", false);
  command.user_metadata = get_metadata(fields, "user_metadata", limits.metadata_bytes, true);
  if (command.kind == SaveWeights::sampler) {
    // An in-flight target promises these weights or newer ones, which a snapshot keeps.
    const std::string target = fields.get_string("kind", "snapshot");
    check<ValueError>(target == "snapshot" || target == "inflight", fields.where(),
                      ": kind: wants \"snapshot\" or \"inflight\": ", shown(target));
    body.known(
        {"model_id", "seq_id", "path", "sampling_session_seq_id", "ttl_seconds", "overwrite", "user_metadata", "kind"},
        unknown);
  } else if (command.kind == SaveWeights::external) {
    command.age_recipients = get_recipients(fields);
    body.known({"model_id", "seq_id", "path", "ttl_seconds", "overwrite", "user_metadata", "age_encryption_recipients"},
               unknown);
  } else {
    body.known({"model_id", "seq_id", "path", "ttl_seconds", "overwrite", "user_metadata"}, unknown);
  }
  return command;
}

TrainingCommand decode_training(CommandKind kind, std::string_view body, UnknownFields* unknown,
                                const WireLimits& limits) {
  switch (kind) {
    case CommandKind::create_model:
      return decode_create_model(body, unknown, limits);
    case CommandKind::load_weights:
      return decode_load_weights(body, unknown, limits);
    case CommandKind::forward_backward:
      return decode_forward_backward(body, unknown, limits);
    case CommandKind::optim_step:
      return decode_optim_step(body, unknown);
    case CommandKind::save_weights:
    case CommandKind::save_weights_for_sampler:
    case CommandKind::save_weights_external:
      return decode_save_weights(kind, body, unknown, limits);
    case CommandKind::unload_model:
      return decode_unload_model(body, unknown);
  }
  fail<ValueError>("decode_training: no such kind: ", int(kind));
}

}  // namespace hearth::server
