// EngineState, results: written with all that belongs to them in one change, told once that is durable.
#include "hearth/core/error.h"
#include "server/engine/platform.h"
#include "server/engine/state.h"
#include "server/store/names.h"

namespace hearth::server {
namespace {

// What stays to be done with folders once the change is durable.
using Dropped = std::shared_ptr<std::vector<std::string>>;

void write_checkpoint(Tables& tables, const CheckpointRecord& checkpoint, const Dropped& dropped) {
  const std::string replaced = tables.put(checkpoint);
  if (!replaced.empty() && replaced != checkpoint.folder) dropped->push_back(replaced);
}

void write_recovery(Tables& tables, const std::string& model_id, const RecoveryPoint& point, const Dropped& dropped) {
  const std::string replaced = tables.set_recovery(model_id, point.seq_id, point.folder, point.hash);
  if (!replaced.empty() && replaced != point.folder) dropped->push_back(replaced);
}

}  // namespace

void EngineState::complete(const OperationRef& operation, JobResult result) {
  ModelEntry& entry = models_.at(operation.model);
  const auto found = entry.queued.find(operation.seq);
  QueuedOperation queued = std::move(found->second);
  entry.queued.erase(found);
  --waiting_of_[queued.owner];
  waiting_bytes_ -= queued.bytes;
  finish_operation(pending_, operation);
  ++figures_.operations[std::string(command_name(queued.kind)) + (result.failure ? ".failed" : ".done")];
  figures_.training_tokens += result.tokens;

  const Time time = now();
  if (operation.seq == OperationKey::creation) created(entry, result);
  if (result.recovery) {
    entry.record.recovery_seq = result.recovery->seq_id;
    entry.record.recovery_folder = result.recovery->folder;
    entry.record.recovery_hash = result.recovery->hash;
  }
  std::string path;
  if (result.checkpoint) {
    result.checkpoint->created = time;
    const auto& save = std::get<SaveWeights>(*queued.command);
    if (save.ttl_seconds) result.checkpoint->expires = time + *save.ttl_seconds * second;
    path = CheckpointPath{result.checkpoint->run, result.checkpoint->type, result.checkpoint->name}.text();
    uncommitted_[path] = *result.checkpoint;
  }
  if (result.sampler) {
    result.sampler->created = time;
    if (sessions_.count(result.sampler->session_id)) samplers_[result.sampler->id] = *result.sampler;
  }

  const auto outcome = std::make_shared<const Outcome>(outcome_of(result.failure, result.payload, time));
  const auto dropped = std::make_shared<std::vector<std::string>>();
  const bool dead = !entry.dead.empty() && operation.seq == OperationKey::creation;
  UsageRecord usage{usage_bucket(time),      entry.record.owner, entry.record.session_id,
                    entry.record.base_model, "training",         result.tokens};
  AuditRecord audit{time, entry.record.owner, std::string(command_name(queued.kind)), operation.model, path, "{}"};
  const bool audited =
      !result.failure && queued.kind != CommandKind::forward_backward && queued.kind != CommandKind::optim_step;
  result.payload.reset();
  const auto change =
      std::make_shared<const Change>([request_id = queued.request_id, outcome, result, dropped, dead, usage, audit,
                                      audited, model_id = operation.model](Tables& tables) {
        dropped->clear();
        tables.finish_operation(request_id, *outcome, result.state_hash, cpu_kind(), build_id());
        if (result.model) tables.update(*result.model);
        if (result.checkpoint) write_checkpoint(tables, *result.checkpoint, dropped);
        if (result.sampler) tables.insert(*result.sampler);
        if (result.recovery) write_recovery(tables, model_id, *result.recovery, dropped);
        if (dead) tables.unload_model(model_id, outcome->finished);
        if (usage.tokens > 0) tables.add_usage(usage);
        if (audited) tables.insert(audit);
      });
  commit(change, [this, request_id = queued.request_id, outcome, path, dropped,
                  folder = result.checkpoint ? result.checkpoint->folder : ""] {
    const auto saved = uncommitted_.find(path);
    if (saved != uncommitted_.end() && saved->second.folder == folder) uncommitted_.erase(saved);
    told(request_id, answer_of(*outcome));
    for (const auto& replaced : *dropped) store_.drop_folder(replaced);
  });
}

void EngineState::created(ModelEntry& entry, JobResult& result) {
  if (result.failure) {
    entry.dead = "the model was not created: " + result.failure->message;
    return;
  }
  // Requests may have been counted for it meanwhile.
  result.model->last_request = entry.record.last_request;
  entry.record = *result.model;
  entry.created = true;
  pending_.models[entry.record.id].base = entry.record.base_model;
}

// The model has changed already: the journal must learn of it, in order. A full disk may have room again; one that is
// broken ends the server (see Store::on_broken), and the next one does this again from the journal.
void EngineState::commit(std::shared_ptr<const Change> change, std::function<void()> then, bool again) {
  write(*change, [this, change, then = std::move(then), again](std::exception_ptr error) {
    // Rows that went meanwhile (retention) will not be there the next time either.
    const bool hopeless = error && failure_of(error).category == FailureCategory::user;
    if (hopeless) log("a result belongs to nothing any more: " + failure_of(error).message);
    if (error && !hopeless) {
      log("a result could not be written down and will be tried again: " + failure_of(error).message);
      stalled_ += !again;
      if (!store_.broken().empty()) return;
      loop_.after(options_.housekeeping, [weak = weak_from_this(), change, then] {
        if (const auto alive = weak.lock()) alive->commit(change, then, true);
      });
      return;
    }
    stalled_ -= again;
    then();
    if (again) pump();
  });
}

void EngineState::fail_operation(const OperationRef& operation, const std::string& message, FailureCategory category) {
  JobResult result;
  result.failure = Failure{message, category};
  complete(operation, std::move(result));
}

void EngineState::told(const std::string& request_id, const FutureAnswer& answer) {
  futures_.finish(request_id, answer);
}

}  // namespace hearth::server
