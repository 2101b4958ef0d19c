// EngineState, steps: the scheduler says what is next, the worker does it, its report comes back to the loop.
#include "hearth/core/error.h"
#include "server/engine/platform.h"
#include "server/engine/state.h"
#include "server/store/names.h"

namespace hearth::server {
namespace {

// A slice of sampling: short where training waits; else the end only lets the loop look around.
constexpr std::chrono::duration<double> short_slice{0.05}, long_slice{1.0};

std::string path_of(const Job& job, const SaveWeights& save) {
  const CheckpointType type = save.kind == SaveWeights::training  ? CheckpointType::weights
                              : save.kind == SaveWeights::sampler ? CheckpointType::sampler_weights
                                                                  : CheckpointType::external_weights;
  return CheckpointPath{job.model.id, type, *save.name}.text();
}

}  // namespace

void EngineState::pump() {
  if (busy_ || !recovered_ || stalled_ > 0) return;
  if (draining_) return finish_drain();
  std::visit([this](const auto& step) { run(step); }, next_step(pending_, shares_));
}

// A slice of sampling that has the worker to itself ends soon once something else waits.
void EngineState::wake_worker() {
  if (sampling_) worker_->post([this] { workshop_.shorten_slice(short_slice); });
}

Job EngineState::job_of(const ModelEntry& entry, int64_t seq_id) {
  const QueuedOperation& queued = entry.queued.at(seq_id);
  Job job;
  job.model = entry.record;
  job.request_id = queued.request_id;
  job.seq_id = seq_id;
  job.command = queued.command;
  if (!queued.refused.empty())
    job.refused = Failure{queued.refused, FailureCategory::user};
  else if (!entry.dead.empty())
    job.refused = Failure{entry.dead, entry.created ? FailureCategory::server : FailureCategory::user};
  return job;
}

void EngineState::run(const PassStep& step) {
  std::vector<Job> jobs;
  for (const auto& operation : step.operations) jobs.push_back(job_of(models_.at(operation.model), operation.seq));
  busy_ = true;
  worker_->start([this, post = poster(), jobs = std::move(jobs), operations = step.operations] {
    const auto between = [this, since = Clock::now()] {
      worker_->run_commands();
      workshop_.sample_beside(since, options_.training_share);
    };
    auto report = std::make_shared<StepReport>(workshop_.passes(jobs, between));
    post([this, operations, report] { passes_done(operations, std::move(*report)); });
    return false;
  });
}

void EngineState::passes_done(const std::vector<OperationRef>& operations, StepReport report) {
  busy_ = false;
  ++figures_.steps;
  figures_.training_seconds += report.seconds;
  note_memory(report.memory);
  charge_training(pending_, shares_, report.seconds);
  for (const auto& [base, seconds] : report.beside) {
    figures_.sampling_seconds += seconds;
    charge_sampling(pending_, shares_, base, seconds);
  }
  for (size_t i = 0; i < operations.size(); ++i) complete(operations[i], std::move(report.results[i]));
  pump();
}

void EngineState::run(const BarrierStep& step) {
  ModelEntry& entry = models_.at(step.operation.model);
  Job job = job_of(entry, step.operation.seq);
  busy_ = true;
  if (!job.refused) look_up(job, entry);
  if (job.refused) {
    // Nothing to compute; posted, so that many of these do not nest.
    poster()([this, operation = step.operation, failure = *job.refused] {
      StepReport report;
      report.results.emplace_back().failure = failure;
      report.memory = memory_;
      passes_done({operation}, std::move(report));
    });
    return;
  }
  worker_->start([this, post = poster(), job = std::move(job), operation = step.operation] {
    auto report = std::make_shared<StepReport>(workshop_.barrier(job));
    post([this, operation, report] { passes_done({operation}, std::move(*report)); });
    return false;
  });
}

// What a request needs to know from the record just before it runs.
void EngineState::look_up(Job& job, ModelEntry& entry) {
  try {
    if (const auto* load = std::get_if<LoadWeights>(job.command.get())) {
      parse_checkpoint_path(load->path);
      job.source = checkpoint(entry.record.owner, load->path, false);
      check<ValueError>(job.source.has_value(), "load_weights: no such checkpoint: ", load->path);
      check<ValueError>(job.source->damage.empty(), "load_weights: ", load->path, ": ", job.source->damage);
      store_.write([id = job.request_id, source = *job.source](Tables& tables) {
        tables.set_operation_reads(id, source.folder, source.hash);
      });
    }
    const auto* save = std::get_if<SaveWeights>(job.command.get());
    if (save && save->name) {
      const std::string path = path_of(job, *save);
      check<ValueError>(
          save->overwrite || save->kind == SaveWeights::external || !checkpoint(entry.record.owner, path, false),
          "save: there is a checkpoint of this name; pass overwrite to replace it: ", path);
    } else if (save) {
      const std::string id = sampler_id(entry.record.session_id, save->sampling_session_seq_id.value_or(-1));
      check<ValueError>(!samplers_.count(id) && !store_.read().sampler(id),
                        "save_weights_for_sampler: this sampling session is there already: ", id);
    }
  } catch (...) {
    job.refused = failure_of(std::current_exception());
  }
}

void EngineState::run(const UnloadStep& step) {
  const std::string model_id = step.model;
  busy_ = true;
  worker_->start([this, post = poster(), model_id] {
    workshop_.unload(model_id);
    post([this, model_id, memory = workshop_.memory()] {
      note_memory(memory);
      busy_ = false;
      unloaded(model_id);
      pump();
    });
    return false;
  });
}

// What still waits (behind a gap) will never run; all of it ends in one change.
void EngineState::unloaded(const std::string& model_id) {
  const auto found = models_.find(model_id);
  ModelEntry entry = std::move(found->second);
  models_.erase(found);
  pending_.models.erase(model_id);
  const Time time = now();
  std::vector<std::pair<std::string, Outcome>> ended;
  for (auto& [seq_id, queued] : entry.queued) {
    Outcome outcome;
    outcome.finished = time;
    if (seq_id == OperationKey::unnumbered) {
      const Payload payload = encode(UnloadModelResult{model_id});
      outcome.state = OperationState::done;
      outcome.content_type = payload.content_type;
      outcome.result = payload.bytes;
    } else {
      outcome.state = OperationState::failed;
      outcome.error = "the model was unloaded, or its session ended, before this request could run";
      outcome.category = category_name(FailureCategory::user);
    }
    ended.emplace_back(queued.request_id, std::move(outcome));
    --waiting_of_[queued.owner];
    waiting_bytes_ -= queued.bytes;
    for (const auto& answer : queued.answers) answer(Refusal{410, "the model was unloaded: " + model_id});
  }
  AuditRecord audit{time, entry.record.owner, "unload_model", model_id, "", "{}"};
  const auto change = std::make_shared<const Change>([model_id, time, ended, audit](Tables& tables) {
    for (const auto& [request_id, outcome] : ended) tables.finish_operation(request_id, outcome);
    tables.unload_model(model_id, time);
    tables.insert(audit);
  });
  commit(change, [this, ended] {
    for (const auto& [request_id, outcome] : ended) told(request_id, answer_of(outcome));
  });
}

void EngineState::run(const RestoreStep& step) {
  ModelEntry& entry = models_.at(step.model);
  auto journal =
      std::make_shared<std::vector<OperationRecord>>(store_.read().operations(step.model, entry.record.recovery_seq));
  busy_ = true;
  worker_->start([this, post = poster(), record = entry.record, journal] {
    auto report = std::make_shared<RestoreReport>(workshop_.restore(record, *journal));
    post([this, model_id = record.id, report] {
      busy_ = false;
      restored(model_id, *report);
      pump();
    });
    return false;
  });
}

void EngineState::restored(const std::string& model_id, const RestoreReport& report) {
  ModelEntry& entry = models_.at(model_id);
  pending_.models[model_id].restore = false;
  note_memory(report.memory);
  figures_.replayed_operations += report.replayed;
  for (const auto& [seq_id, result] : report.results) complete({model_id, seq_id}, result);
  std::vector<int64_t> lost;
  for (const auto& [seq_id, queued] : entry.queued)
    if (seq_id >= 0 && seq_id < pending_.models[model_id].next) lost.push_back(seq_id);
  for (const int64_t seq_id : lost)
    fail_operation({model_id, seq_id}, "the result was lost: the disk was full when it was to be written down",
                   FailureCategory::server);
  charge_training(pending_, shares_, report.seconds);
  if (report.trouble.empty() && report.difference.empty()) return;
  std::string event = "recomputed_on_another_platform";
  if (!report.trouble.empty()) {
    entry.dead = "the model could not be brought back after a restart: " + report.trouble;
    entry.record.corrupted = report.trouble;
    event = "restore_failed";
  } else if (!report.other_platform) {
    entry.record.corrupted = report.difference;
    event = "replay_differs";
  }
  const std::string words = report.trouble.empty() ? report.difference : report.trouble;
  log(model_id + ": " + event + ": " + words);
  AuditRecord audit{now(), entry.record.owner, event, model_id, "", "{}"};
  store_.write([model_id, why = entry.record.corrupted, audit](Tables& tables) {
    if (!why.empty()) tables.mark_corrupted(model_id, why);
    tables.insert(audit);
  });
}

void EngineState::run(const SampleStep& step) {
  const std::string base = step.base;
  busy_ = sampling_ = true;
  worker_->start(
      [this, post = poster(), base, length = step.training_waits ? short_slice : long_slice, begun = false]() mutable {
        if (!std::exchange(begun, true)) workshop_.begin_slice(base, length);
        if (workshop_.continue_slice()) return true;
        post([this, base, report = workshop_.slice_report()] {
          busy_ = sampling_ = false;
          figures_.sampling_seconds += report.seconds;
          figures_.steps += report.steps;
          note_memory(report.memory);
          charge_sampling(pending_, shares_, base, report.seconds);
          pump();
        });
        return false;
      });
}

}  // namespace hearth::server
