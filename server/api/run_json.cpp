// Run JSON: training runs, checkpoints, cursors.
#include "server/api/run_json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "server/api/reply.h"
#include "server/store/names.h"
#include "server/store/tables.h"

namespace hearth::server {
namespace {

const char* type_name(CheckpointType type) {
  switch (type) {
    case CheckpointType::weights:
      return "training";
    case CheckpointType::sampler_weights:
      return "sampler";
    case CheckpointType::external_weights:
      return "external";
  }
  return "";
}

/// Whether the request comes from an SDK before 0.28, by the version that it tells.
bool is_before_external(const Request& request) {
  std::string_view version = request.header("x-sdk-version");
  if (version.empty()) version = request.header("x-stainless-package-version");
  if (!version.starts_with("0.")) return false;
  int minor = 0;
  auto [end, error] = std::from_chars(version.data() + 2, version.data() + version.size(), minor);
  return error == std::errc() && minor < 28;
}

const CheckpointRecord* newest(const std::vector<CheckpointRecord>& all, CheckpointType type) {
  const CheckpointRecord* found = nullptr;
  Time now = time_now();
  for (const CheckpointRecord& one : all) {
    if (one.type != type || (one.expires && *one.expires <= now)) continue;
    if (!found || one.created > found->created) found = &one;
  }
  return found;
}

}  // namespace

std::string tinker_path(const CheckpointRecord& checkpoint) {
  return CheckpointPath{checkpoint.run, checkpoint.type, checkpoint.name}.text();
}

boost::json::value string_metadata(const std::string& text) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  if (error || !value.is_object() || value.get_object().empty()) return nullptr;
  for (auto& entry : value.get_object())
    if (!entry.value().is_string()) entry.value() = boost::json::serialize(entry.value());
  return value;
}

boost::json::value checkpoint_json(const CheckpointRecord& checkpoint) {
  boost::json::object object{
      {"checkpoint_id", std::string(to_text(checkpoint.type)) + "/" + checkpoint.name},
      {"checkpoint_type", type_name(checkpoint.type)},
      {"time", iso_time(checkpoint.created)},
      {"tinker_path", tinker_path(checkpoint)},
      {"size_bytes", checkpoint.size},
      {"public", checkpoint.is_public},
  };
  if (checkpoint.expires) object["expires_at"] = iso_time(*checkpoint.expires);
  boost::json::value metadata = string_metadata(checkpoint.user_metadata);
  if (!metadata.is_null()) object["user_metadata"] = std::move(metadata);
  return object;
}

boost::json::value run_json(Tables& tables, const ModelRecord& model) {
  boost::json::object object{
      {"training_run_id", model.id},
      {"base_model", model.base_model},
      {"model_owner", model.owner},
      {"is_lora", true},
      {"corrupted", !model.corrupted.empty()},
      {"lora_rank", model.rank},
      {"last_request_time", iso_time(model.last_request ? model.last_request : model.created)},
  };
  boost::json::value metadata = string_metadata(model.user_metadata);
  if (!metadata.is_null()) object["user_metadata"] = std::move(metadata);
  const std::vector<CheckpointRecord> all = tables.checkpoints_of_run(model.id);
  if (auto* one = newest(all, CheckpointType::weights)) object["last_checkpoint"] = checkpoint_json(*one);
  if (auto* one = newest(all, CheckpointType::sampler_weights))
    object["last_sampler_checkpoint"] = checkpoint_json(*one);
  return object;
}

std::vector<CheckpointRecord> shown_checkpoints(std::vector<CheckpointRecord> all, const Request& request) {
  const Time now = time_now();
  const bool without_external = is_before_external(request);
  std::erase_if(all, [&](const CheckpointRecord& one) {
    return (one.expires && *one.expires <= now) || (without_external && one.type == CheckpointType::external_weights);
  });
  return all;
}

boost::json::value cursor_json(int64_t offset, int64_t limit, int64_t total) {
  return {{"offset", offset}, {"limit", limit}, {"total_count", total}};
}

}  // namespace hearth::server
