// Workshop, save_weights in its forms: checkpoints with optimizer, frozen samplers, adapters for other programs.
#include <filesystem>

#include "hearth/core/error.h"
#include "llm/lora/files.h"
#include "server/engine/workshop.h"
#include "server/store/age.h"
#include "server/store/names.h"

namespace hearth::server {
namespace {

CheckpointType type_of(SaveWeights::Kind kind) {
  return kind == SaveWeights::training  ? CheckpointType::weights
         : kind == SaveWeights::sampler ? CheckpointType::sampler_weights
                                        : CheckpointType::external_weights;
}

CheckpointRecord record_of(const Job& job, const SaveWeights& command, const Sealed& sealed) {
  CheckpointRecord record;
  record.run = job.model.id;
  record.type = type_of(command.kind);
  record.name = *command.name;
  record.owner = job.model.owner;
  record.folder = sealed.folder;
  record.size = sealed.size;
  record.hash = sealed.hash;
  record.user_metadata = command.user_metadata;
  record.has_optimizer = command.kind == SaveWeights::training;
  record.base_model = job.model.base_model;
  record.base_fingerprint = job.model.base_fingerprint;
  record.rank = job.model.rank;
  record.train_attn = job.model.train_attn;
  record.train_mlp = job.model.train_mlp;
  record.train_unembed = job.model.train_unembed;
  return record;
}

SamplerRecord sampler_of(const Job& job, const std::string& id, const Sealed& sealed) {
  SamplerRecord record;
  record.id = id;
  record.session_id = job.model.session_id;
  record.owner = job.model.owner;
  record.base_model = job.model.base_model;
  record.snapshot_folder = sealed.folder;
  record.snapshot_hash = sealed.hash;
  return record;
}

// The adapter alone, as other programs read it; for recipients encrypted file by file, nothing else in the folder.
Draft adapter_draft(Folders& folders, const llm::LoraAdapter& adapter, const std::string& base,
                    const std::string& fingerprint, const std::vector<std::string>& recipients) {
  Draft plain = folders.draft();
  llm::save_adapter(adapter, plain.path(), base, fingerprint);
  if (recipients.empty()) return plain;
  const auto keys = parse_age_recipients(recipients);
  Draft encrypted = folders.draft();
  for (const auto& file : std::filesystem::directory_iterator(plain.path()))
    age_encrypt_file(file.path(), encrypted.path() + "/" + file.path().filename().string() + ".age", keys,
                     folders.file_system());
  return encrypted;
}

}  // namespace

JobResult Workshop::save(const Job& job, const SaveWeights& command) {
  Trainer& trainer = need(job);
  const auto adapter = trainer.trainer.snapshot();
  Draft draft = command.kind == SaveWeights::training
                    ? folders_.draft()
                    : adapter_draft(folders_, *adapter, job.model.base_model, trainer.trainer.fingerprint(),
                                    command.age_recipients);
  if (command.kind == SaveWeights::training)
    trainer.trainer.save(draft.path(), job.model.base_model, folders_.file_system());
  JobResult result;
  SaveWeightsResult answer;
  answer.kind = command.kind;
  if (command.name) {
    const CheckpointType type = type_of(command.kind);
    const Sealed sealed = draft.seal(Folders::place_of_checkpoint(job.model.id, type, *command.name));
    result.checkpoint = record_of(job, command, sealed);
    answer.path = CheckpointPath{job.model.id, type, *command.name}.text();
    if (command.kind == SaveWeights::external) answer.size_bytes = sealed.size;
    if (command.kind == SaveWeights::sampler) adapters_.put(sealed.hash, adapter);
  } else {
    const std::string id = sampler_id(job.model.session_id, command.sampling_session_seq_id.value());
    const Sealed sealed = draft.seal(Folders::place_of_snapshot(id));
    result.sampler = sampler_of(job, id, sealed);
    answer.sampling_session_id = id;
    adapters_.put(sealed.hash, adapter);
  }
  result.payload = encode(answer);
  return result;
}

}  // namespace hearth::server
