// EngineState, samplers and models: what can be sampled from, and what clients ask about both.
#include "hearth/core/error.h"
#include "server/engine/state.h"
#include "server/store/names.h"

namespace hearth::server {

std::optional<SamplerRecord> EngineState::find_sampler(const std::string& owner, const std::string& sampler_id) {
  std::optional<SamplerRecord> record;
  if (const auto found = samplers_.find(sampler_id); found != samplers_.end())
    record = found->second;
  else if ((record = store_.read().sampler(sampler_id)) && sessions_.count(record->session_id))
    samplers_.emplace(sampler_id, *record);
  if (record && record->owner != owner) record.reset();
  return record;
}

void EngineState::create_sampler(const std::string& owner, const NewSampler& wanted, Then<std::string> then) {
  if (draining_) return then(Refusal{503, "the server is shutting down", 5});
  const std::string id = sampler_id(wanted.session_id, wanted.seq_id);
  if (find_sampler(owner, id)) return then(id);
  if (const auto refusal = session_refusal(owner, wanted.session_id)) return then(*refusal);
  SamplerRecord record;
  record.id = id;
  record.session_id = wanted.session_id;
  record.owner = owner;
  record.model_path = wanted.model_path;
  record.created = now();
  try {
    if (!wanted.model_path.empty()) {
      const auto source = checkpoint(owner, wanted.model_path, false);
      if (!source) return then(Refusal{404, "no such checkpoint: " + wanted.model_path});
      check<ValueError>(source->damage.empty(), wanted.model_path, ": ", source->damage);
      record.base_model = resolve_base(options_.models, source->base_model).name;
      check<ValueError>(
          wanted.base_model.empty() || resolve_base(options_.models, wanted.base_model).name == record.base_model,
          "create_sampling_session: the checkpoint was trained on ", record.base_model, ", not on ", wanted.base_model);
      record.snapshot_folder = source->folder;
      record.snapshot_hash = source->hash;
    } else {
      record.base_model = resolve_base(options_.models, wanted.base_model).name;
    }
  } catch (const std::exception& error) {
    return then(Refusal{400, error.what()});
  }
  // Two answers at once for one number: the second finds the row and says the same.
  write(
      [record](Tables& tables) {
        if (!tables.sampler(record.id)) tables.insert(record);
      },
      [this, record, then](std::exception_ptr error) {
        if (error) return then(Refusal{503, failure_of(error).message, 1});
        if (sessions_.count(record.session_id)) samplers_[record.id] = record;
        then(record.id);
      });
}

void EngineState::join_sampler(const std::string& owner, const std::string& sampler_id, Then<int64_t> then) {
  if (!find_sampler(owner, sampler_id)) return then(Refusal{404, "no such sampling session: " + sampler_id});
  const auto number = std::make_shared<int64_t>(0);
  write([sampler_id, number](Tables& tables) { *number = tables.join_sampler(sampler_id); },
        [number, then](std::exception_ptr error) {
          if (error) return then(Refusal{503, failure_of(error).message, 1});
          then(*number);
        });
}

Reply<SamplerInfo> EngineState::sampler_info(const std::string& owner, const std::string& sampler_id) {
  const auto sampler = find_sampler(owner, sampler_id);
  if (!sampler) return Refusal{404, "no such sampling session: " + sampler_id};
  return SamplerInfo{sampler->id, sampler->base_model, sampler->model_path};
}

Reply<ModelInfo> EngineState::model_info(const std::string& owner, const std::string& model_id) {
  std::optional<ModelRecord> record;
  if (const auto live = models_.find(model_id); live != models_.end()) {
    record = live->second.record;
    if (!live->second.dead.empty()) return Refusal{404, live->second.dead};
  } else {
    record = store_.read().model(model_id);
  }
  if (!record || record->owner != owner) return Refusal{404, "no such model: " + model_id};
  try {
    const auto base = describe_base(resolve_base(options_.models, record->base_model));
    return ModelInfo{model_id, base.name, base.arch, base.folder, record->rank};
  } catch (const std::exception& error) {
    return Refusal{404, error.what()};
  }
}

std::vector<BaseModelInfo> EngineState::base_models() const {
  std::vector<BaseModelInfo> all;
  for (const auto& served : options_.models) try {
      all.push_back(describe_base(served));
    } catch (const std::exception&) {
      all.push_back({served.name, served.folder, "", 0});
    }
  return all;
}

}  // namespace hearth::server
