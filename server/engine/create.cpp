// Workshop, create_model: a new adapter over a base model, from its seed.
#include "hearth/core/error.h"
#include "server/engine/workshop.h"

namespace hearth::server {

JobResult Workshop::create(const Job& job, const CreateModel& command) {
  Base& base = bases_.get(command.base_model, used_bytes());
  check<ValueError>(command.rank <= options_.max_rank, "create_model: rank must be at most ", options_.max_rank, ": ",
                    command.rank);
  const auto config = llm::lora_config({command.rank, command.train_attn, command.train_mlp, command.train_unembed});
  JobResult result;
  result.model = job.model;
  result.model->base_model = base.served.name;
  result.model->base_fingerprint = base.fingerprint;
  add_trainer(job.model.id, base, llm::LoraTrainer(base.model, config, job.model.seed, base.fingerprint));
  hash_state(trainers_.at(job.model.id), result, true);
  result.payload = encode(CreateModelResult{job.model.id});
  return result;
}

}  // namespace hearth::server
