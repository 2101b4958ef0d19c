// Replay: the workshop does every operation again, alone; what was recorded of it says whether the bits are the same.
#include "server/engine/replay.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "hearth/core/error.h"
#include "server/engine/journal.h"
#include "server/engine/platform.h"
#include "server/engine/workshop.h"

namespace hearth::server {
namespace {

using Verdict = ReplayedOperation::Verdict;

int64_t number_of(std::string_view text, const std::string& whole) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check<ValueError>(error == std::errc() && end == text.data() + text.size() && value >= 0,
                    "replay: what is left out must be SEQ or SEQ:DATUM: ", whole);
  return value;
}

class Replay {
 public:
  Replay(Store& store, const EngineOptions& engine, const ReplayOptions& options)
      : store_(store), options_(options), settings_(engine), workshop_(settings_, store.folders()) {}

  ReplayReport run(const std::function<void(const ReplayedOperation&)>& tell) {
    const auto model = store_.read().model(options_.run);
    check<ValueError>(model.has_value(), "replay: no such run: ", options_.run);
    model_ = *model;
    // The whole way again, whatever states are on disk.
    model_.recovery_seq = -1;
    const auto journal = store_.read().operations(options_.run, -1, true);
    check<ValueError>(!journal.empty(), "replay: the run has no journal: ", options_.run);
    check_left_out(journal);
    for (const auto& operation : journal) tell(again(operation));
    const Trainer* trainer = workshop_.find(model_.id);
    check<ValueError>(trainer, "replay: the run was never created: ", options_.run);
    report_.state_hash = trainer->trainer.state_hash();
    if (!options_.out.empty()) {
      std::filesystem::create_directories(options_.out);
      trainer->trainer.save(options_.out, model_.base_model);
    }
    return report_;
  }

 private:
  void check_left_out(const std::vector<OperationRecord>& journal) const {
    for (const auto& left_out : options_.without) {
      bool found = false;
      for (const auto& operation : journal) {
        if (operation.seq_id != left_out.seq_id || operation.seq_id == 0) continue;
        found = !left_out.datum;
        if (found || operation.kind != "forward_backward") continue;
        const auto command = decode_training(CommandKind::forward_backward, operation.body);
        found = *left_out.datum < static_cast<int64_t>(std::get<ForwardBackward>(command).data.size());
      }
      check<ValueError>(found, "replay: cannot leave out what is not there: ", left_out.seq_id,
                        left_out.datum ? ":" + std::to_string(*left_out.datum) : "");
    }
  }

  ReplayedOperation again(const OperationRecord& operation) {
    ReplayedOperation done{operation.seq_id, operation.kind, Verdict::left_out, ""};
    if (operation.outcome.state != OperationState::done || operation.kind == "unload_model") {
      done.detail = operation.outcome.state == OperationState::queued ? "had not run" : operation.outcome.error;
      return done;
    }
    ++report_.operations;
    Job job = replay_job(model_, operation);
    if (!leave_out(job)) {
      changed_ = true;
      done.detail = "as asked";
      return done;
    }
    if (job.source) store_.folders().verify(job.source->folder, job.source->hash);
    if (operation.cpu != cpu_kind() || operation.build != build_id())
      report_.recorded_platform = operation.cpu + ", build " + operation.build;
    if (operation.kind.rfind("save_weights", 0) == 0)
      compare_save(operation, job, done);
    else
      compute(operation, job, done);
    report_.same += done.verdict == Verdict::same;
    report_.differ += done.verdict == Verdict::differs;
    return done;
  }

  // Takes what is left out away from the job; false when nothing stays.
  bool leave_out(Job& job) {
    const auto* pass = std::get_if<ForwardBackward>(job.command.get());
    std::vector<bool> gone(pass ? pass->data.size() : 0);
    for (const auto& left_out : options_.without) {
      if (left_out.seq_id != job.seq_id) continue;
      if (!left_out.datum) return false;
      gone[static_cast<size_t>(*left_out.datum)] = true;
    }
    if (std::find(gone.begin(), gone.end(), true) == gone.end()) return true;
    changed_ = true;
    ForwardBackward rest = *pass;
    rest.data.clear();
    for (size_t i = 0; i < gone.size(); ++i)
      if (!gone[i]) rest.data.push_back(pass->data[i]);
    if (rest.data.empty()) return false;
    job.command = std::make_shared<const TrainingCommand>(std::move(rest));
    return true;
  }

  void compute(const OperationRecord& operation, const Job& job, ReplayedOperation& done) {
    const bool pass = operation.kind == "forward_backward";
    StepReport step = pass ? workshop_.passes({job}) : workshop_.barrier(job);
    JobResult& result = step.results[0];
    check<ValueError>(!result.failure, "replay: operation ", job.seq_id,
                      " fails now and did not then: ", result.failure ? result.failure->message : "");
    if (result.model) model_ = *result.model;
    done.verdict = Verdict::computed;
    if (changed_) return;
    if (pass && !operation.outcome.dropped)
      done.verdict = result.payload->bytes == operation.outcome.result ? Verdict::same : Verdict::differs;
    if (operation.state_hash.empty()) return;
    const std::string hash = workshop_.find(model_.id)->trainer.state_hash();
    done.verdict = hash == operation.state_hash ? Verdict::same : Verdict::differs;
    done.detail = "state " + hash.substr(0, 16);
    if (done.verdict == Verdict::differs) done.detail += ", recorded " + operation.state_hash.substr(0, 16);
  }

  // The files that a save would write now against those that it wrote.
  void compare_save(const OperationRecord& operation, const Job& job, ReplayedOperation& done) {
    done.verdict = Verdict::computed;
    const auto& save = std::get<SaveWeights>(*job.command);
    if (!save.name || save.kind != SaveWeights::training) return;
    const auto record = store_.read().checkpoint(model_.id, CheckpointType::weights, *save.name);
    if (!record || changed_) return;
    // A later save of the same name replaced it.
    if (record->created != operation.outcome.finished) return;
    Draft draft = store_.folders().draft();
    workshop_.find(model_.id)->trainer.save(draft.path(), model_.base_model);
    const std::string hash = hash_folder(draft.path());
    done.verdict = hash == record->hash ? Verdict::same : Verdict::differs;
    done.detail = "files " + hash.substr(0, 16);
  }

  Store& store_;
  const ReplayOptions& options_;
  const EngineOptions& settings_;
  Workshop workshop_;
  ModelRecord model_;
  ReplayReport report_;
  bool changed_ = false;  // something was left out: other bits are meant to come
};

EngineOptions replay_settings(EngineOptions engine) {
  engine.hash_share = 0;  // hashes only where one was recorded
  engine.replay_budget = std::chrono::hours(1 << 20);
  return engine;
}

}  // namespace

LeftOut parse_left_out(const std::string& text) {
  const size_t colon = text.find(':');
  LeftOut left_out;
  left_out.seq_id = number_of(std::string_view(text).substr(0, colon), text);
  if (colon != std::string::npos) left_out.datum = number_of(std::string_view(text).substr(colon + 1), text);
  check<ValueError>(left_out.seq_id > 0, "replay: the creation of a run cannot be left out: ", text);
  return left_out;
}

ReplayReport replay(Store& store, const EngineOptions& engine, const ReplayOptions& options,
                    const std::function<void(const ReplayedOperation&)>& tell) {
  const EngineOptions settings = replay_settings(engine);
  return Replay(store, settings, options).run(tell);
}

}  // namespace hearth::server
