// Workshop, restore: a model's state from its newest recovery checkpoint, or its beginning, and its journal.
#include "hearth/core/error.h"
#include "llm/lora/fingerprint.h"
#include "server/engine/journal.h"
#include "server/engine/platform.h"
#include "server/engine/workshop.h"

namespace hearth::server {
namespace {

bool is_pass(const OperationRecord& operation) { return operation.kind == "forward_backward"; }

// The newest operation whose end is written down.
int64_t last_ended(const ModelRecord& model, const std::vector<OperationRecord>& journal) {
  int64_t last = model.recovery_seq;
  for (const auto& operation : journal)
    if (operation.outcome.state != OperationState::queued) last = std::max(last, operation.seq_id);
  return last;
}

// It ran before operations that are written down, and its own end is not: the disk was full just then.
bool is_hole(const OperationRecord& operation, int64_t last) {
  return operation.outcome.state == OperationState::queued && operation.seq_id < last;
}

// Saving changes nothing, and what it wrote is there.
bool is_skipped(const OperationRecord& operation, int64_t last) {
  if (is_hole(operation, last)) return false;
  return operation.outcome.state != OperationState::done || operation.kind.rfind("save_weights", 0) == 0 ||
         operation.kind == "unload_model";
}

}  // namespace

RestoreReport Workshop::restore(const ModelRecord& model, const std::vector<OperationRecord>& journal) {
  RestoreReport report;
  const auto begin = std::chrono::steady_clock::now();
  replaying_ = true;
  try {
    restore_beginning(model, journal);
    for (size_t at = 0; at < journal.size();) at = replay_from(model, journal, at, report);
    Trainer& trainer = trainers_.at(model.id);
    for (const auto& operation : journal)
      if (operation.outcome.state != OperationState::queued)
        trainer.seq_id = std::max(trainer.seq_id, operation.seq_id);
  } catch (...) {
    report.trouble = failure_of(std::current_exception()).message;
    trainers_.erase(model.id);
  }
  replaying_ = false;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  report.memory = memory();
  return report;
}

void Workshop::restore_beginning(const ModelRecord& model, const std::vector<OperationRecord>& journal) {
  Base& base = bases_.get(model.base_model, used_bytes());
  check<ValueError>(llm::same_base(base.fingerprint, model.base_fingerprint),
                    "restore: the base model is another one than the run was trained on: ", model.base_model);
  if (model.recovery_seq >= 0) {
    folders_.verify(model.recovery_folder, model.recovery_hash);
    add_trainer(model.id, base,
                llm::LoraTrainer::open(base.model, folders_.path(model.recovery_folder), true, base.fingerprint,
                                       folders_.file_system()));
    trainers_.at(model.id).recovery_seq = model.recovery_seq;
    return;
  }
  check<ValueError>(!journal.empty() && journal.front().seq_id == 0, "restore: the journal's beginning is missing");
  Job job = replay_job(model, journal.front());
  JobResult result;
  if (const auto* load = std::get_if<LoadWeights>(job.command.get())) {
    folders_.verify(job.source->folder, job.source->hash);
    result = load_new(job, *load);
  } else {
    result = create(job, std::get<CreateModel>(*job.command));
  }
}

// Does the operation at `at`, or the row of passes that begins there; returns where to go on.
size_t Workshop::replay_from(const ModelRecord& model, const std::vector<OperationRecord>& journal, size_t at,
                             RestoreReport& report) {
  const int64_t last = last_ended(model, journal);
  const OperationRecord& first = journal[at];
  if (is_skipped(first, last) || first.seq_id <= model.recovery_seq || first.seq_id == 0) return at + 1;
  std::vector<Job> jobs;
  std::vector<bool> hole;
  int64_t tokens = 0;
  size_t next = at;
  for (; next < journal.size() && (next == at || is_pass(first)); ++next) {
    if (is_skipped(journal[next], last)) continue;
    if (is_pass(first) != is_pass(journal[next])) break;
    Job job = replay_job(model, journal[next]);
    const auto* pass = std::get_if<ForwardBackward>(job.command.get());
    // What only looked changed nothing, and its answer is there.
    if (pass && pass->forward_only && !is_hole(journal[next], last)) continue;
    tokens += pass ? tokens_of(pass->data) : 0;
    if (tokens > options_.token_budget && !jobs.empty()) break;
    jobs.push_back(std::move(job));
    hole.push_back(is_hole(journal[next], last));
  }
  if (jobs.empty()) return next;
  if (jobs[0].source) folders_.verify(jobs[0].source->folder, jobs[0].source->hash);
  StepReport step = is_pass(first) ? passes(jobs) : barrier(jobs[0]);
  for (size_t i = 0; i < jobs.size(); ++i) {
    ++report.replayed;
    JobResult& result = step.results[i];
    if (hole[i])
      report.results.emplace_back(jobs[i].seq_id, std::move(result));
    else
      check<ValueError>(!result.failure, "replay: operation ", jobs[i].seq_id,
                        " failed now and did not then: ", result.failure ? result.failure->message : "");
  }
  if (!is_pass(first) && !hole[0]) compare_state(model, first, report);
  return next;
}

void Workshop::compare_state(const ModelRecord& model, const OperationRecord& operation, RestoreReport& report) {
  if (operation.state_hash.empty() || !report.difference.empty()) return;
  const std::string hash = trainers_.at(model.id).trainer.state_hash();
  if (hash == operation.state_hash) return;
  report.other_platform = operation.cpu != cpu_kind() || operation.build != build_id();
  report.difference = "operation " + std::to_string(operation.seq_id) + " (" + operation.kind + ") gave the state " +
                      hash + ", the record says " + operation.state_hash + " (computed on " + operation.cpu + ", now " +
                      cpu_kind() + ")";
}

}  // namespace hearth::server
