// BaseModels: loading, freezing, and what each needs for sampling.
#include "server/engine/base_models.h"

#include <filesystem>

#include "hearth/core/error.h"
#include "llm/lora/fingerprint.h"
#include "llm/models/config.h"
#include "llm/weights/load.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::server {
namespace {

bool same_folder(const std::string& a, const std::string& b) {
  std::error_code error;
  return std::filesystem::path(a).lexically_normal() == std::filesystem::path(b).lexically_normal() ||
         std::filesystem::equivalent(a, b, error);
}

int64_t parameter_bytes(const llm::CausalLm& model) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : model.named_parameters())
    bytes += tensor.numel() * static_cast<int64_t>(dtype_size(tensor.dtype()));
  return bytes;
}

std::unique_ptr<llm::Tokenizer> tokenizer_of(const ServedModel& served, const llm::DecoderConfig& config) {
  try {
    return std::make_unique<llm::Tokenizer>(llm::load_model_tokenizer(served.folder, config));
  } catch (const IoError&) {
    return nullptr;  // a model without a tokenizer serves token ids
  }
}

}  // namespace

const ServedModel& resolve_base(const std::vector<ServedModel>& served, const std::string& wanted) {
  for (const auto& model : served)
    if (model.name == wanted) return model;
  // Only comparing with the folders that are served: a client learns nothing about others.
  for (const auto& model : served)
    if (!wanted.empty() && wanted.front() == '/' && same_folder(model.folder, wanted)) return model;
  std::string names;
  for (const auto& model : served) names += (names.empty() ? "" : ", ") + model.name;
  fail<ValueError>("base model: is not served: ", wanted, "; served are: ", names);
}

BaseModelInfo describe_base(const ServedModel& served) {
  BaseModelInfo info{served.name, served.folder, "llama", 0};
  std::error_code error;
  if (!std::filesystem::exists(served.folder + "/config.json", error)) return info;
  const auto config = llm::load_config(served.folder);
  info.arch = config.model_type;
  info.context = config.max_position_embeddings;
  return info;
}

Base& BaseModels::get(const std::string& name, int64_t used) {
  const ServedModel& served = resolve_base(options_.models, name);
  if (Base* found = find(served.name)) return *found;
  Base base;
  base.served = served;
  auto model = llm::load_model(served.folder);
  model->requires_grad_(false);
  base.bytes = parameter_bytes(*model);
  check<OutOfMemoryError>(options_.memory == 0 || used + base.bytes <= options_.memory, "load ", served.name,
                          ": needs ", base.bytes, " bytes, ", used, " of ", options_.memory, " are in use");
  base.tokenizer = tokenizer_of(served, model->config());
  base.fingerprint = llm::base_fingerprint(model->named_parameters());
  llm::SampleLimits limits;
  limits.running = options_.running_samples;
  limits.cache_bytes = options_.kv_cache_bytes;
  limits.kept_sequences = options_.kept_sequences;
  base.samples = std::make_unique<llm::SampleBatch>(*model, base.tokenizer.get(), limits);
  base.model = std::move(model);
  return loaded_.emplace(served.name, std::move(base)).first->second;
}

Base* BaseModels::find(const std::string& name) {
  const auto found = loaded_.find(name);
  return found == loaded_.end() ? nullptr : &found->second;
}

int64_t BaseModels::bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, base] : loaded_) bytes += base.bytes;
  return bytes;
}

int64_t BaseModels::cache_bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, base] : loaded_) bytes += base.samples->bytes();
  return bytes;
}

}  // namespace hearth::server
