// Workshop, load_weights: a checkpoint into a model, or into a new one.
#include "hearth/core/error.h"
#include "llm/lora/fingerprint.h"
#include "server/engine/workshop.h"

namespace hearth::server {
namespace {

const CheckpointRecord& source_of(const Job& job, const LoadWeights& command) {
  check<ValueError>(job.source.has_value(), "load_weights: no such checkpoint: ", command.path);
  check<ValueError>(!command.optimizer || job.source->has_optimizer,
                    "load_weights: has no optimizer state, only weights/ checkpoints have: ", command.path);
  return *job.source;
}

}  // namespace

JobResult Workshop::load(const Job& job, const LoadWeights& command) {
  Trainer& trainer = need(job);
  const auto& source = source_of(job, command);
  trainer.trainer.load(folders_.path(source.folder), command.optimizer, folders_.file_system());
  JobResult result;
  hash_state(trainer, result, true);
  result.payload = encode(LoadWeightsResult{command.path, job.model.id});
  return result;
}

JobResult Workshop::load_new(const Job& job, const LoadWeights& command) {
  const auto& source = source_of(job, command);
  Base& base = bases_.get(command.base_model.value_or(source.base_model), used_bytes());
  check<ValueError>(llm::same_base(base.fingerprint, source.base_fingerprint),
                    "load_weights: the checkpoint was trained on another base model (", source.base_model, ") than ",
                    base.served.name, ": ", command.path);
  auto trainer = llm::LoraTrainer::open(base.model, folders_.path(source.folder), command.optimizer, base.fingerprint,
                                        folders_.file_system());
  JobResult result;
  result.model = job.model;
  result.model->base_model = base.served.name;
  result.model->base_fingerprint = base.fingerprint;
  result.model->rank = source.rank;
  result.model->train_attn = source.train_attn;
  result.model->train_mlp = source.train_mlp;
  result.model->train_unembed = source.train_unembed;
  result.model->from_path = command.path;
  add_trainer(job.model.id, base, std::move(trainer));
  hash_state(trainers_.at(job.model.id), result, true);
  result.payload = encode(LoadWeightsResult{command.path, job.model.id});
  return result;
}

}  // namespace hearth::server
