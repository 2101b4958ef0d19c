// replay_job: decodes the body as at arrival; a load finds the folder that it read then.
#include "server/engine/journal.h"

#include "hearth/core/error.h"

namespace hearth::server {

Job replay_job(const ModelRecord& model, const OperationRecord& operation) {
  check<ValueError>(!operation.body_dropped, "replay: operation ", operation.seq_id,
                    " is needed and its body is not kept any more");
  Job job;
  job.model = model;
  job.request_id = operation.request_id;
  job.seq_id = operation.seq_id;
  job.command = std::make_shared<const TrainingCommand>(decode_training(command_kind(operation.kind), operation.body));
  if (!std::holds_alternative<LoadWeights>(*job.command)) return job;
  CheckpointRecord source;
  source.folder = operation.reads_folder;
  source.hash = operation.reads_hash;
  source.has_optimizer = true;  // what could be loaded once
  source.base_model = model.base_model;
  source.base_fingerprint = model.base_fingerprint;
  source.rank = model.rank;
  source.train_attn = model.train_attn;
  source.train_mlp = model.train_mlp;
  source.train_unembed = model.train_unembed;
  job.source = source;
  return job;
}

}  // namespace hearth::server
