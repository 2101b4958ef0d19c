// EngineState: what the engine knows on the loop thread, and its parts; one file for each group of members.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/engine/answers.h"
#include "server/engine/futures.h"
#include "server/engine/job.h"
#include "server/engine/options.h"
#include "server/engine/scheduler.h"
#include "server/engine/worker.h"
#include "server/engine/workshop.h"
#include "server/http/loop.h"
#include "server/store/store.h"

namespace hearth::server {

/// A training request that is not over.
struct QueuedOperation {
  std::string request_id, owner;
  CommandKind kind = CommandKind::optim_step;
  std::shared_ptr<const TrainingCommand> command;
  std::string refused;  ///< fails with these words when its turn comes
  int64_t bytes = 0;
  bool durable = false;
  std::vector<Then<Accepted>> answers;  ///< who waits for it to be durable
};

/// A model that is not unloaded.
struct ModelEntry {
  ModelRecord record;
  std::map<int64_t, QueuedOperation> queued;  ///< by seq_id
  bool created = false;
  std::string dead;            ///< why it never worked or works no more; its requests fail with it
  std::string unload_request;  ///< who is told when it is unloaded; may be empty
};

struct SessionEntry {
  SessionRecord record;
  Clock::time_point seen;
};

/// A sampling request that is not over, or a stream.
struct SampleEntry {
  std::string request_id, owner, sampler_id, session_id;
  int64_t seq_id = 0;
  SampleJob job;
  int64_t bytes = 0;
  bool durable = false, handed = false, cancelled = false;
  Clock::time_point arrived;
  std::vector<Then<Accepted>> answers;
  Then<StreamEnd> on_end;  ///< of streams
};

class EngineState : public std::enable_shared_from_this<EngineState> {
 public:
  EngineState(Loop& loop, Store& store, EngineOptions options);
  ~EngineState();

  // submit.cpp
  void submit(const std::string& owner, CommandKind kind, std::string body, const Then<Accepted>& then);
  void cancel(const std::string& owner, const std::string& request_id);
  // samples.cpp
  void sample(const std::string& owner, std::string body, const Then<Accepted>& then);
  int64_t stream(const std::string& owner, const std::string& model, Prompt prompt, Sample sample,
                 std::function<void(const StreamedToken&)> on_token, Then<StreamEnd> on_end);
  void stop_stream(int64_t stream);
  // sessions.cpp
  void create_session(const std::string& owner, NewSession session, Then<std::string> then);
  Reply<Nothing> heartbeat(const std::string& owner, const std::string& session_id);
  void finish_session(const std::string& owner, const std::string& session_id, const std::string& reason,
                      const std::string& detail, Then<Nothing> then);
  // samplers.cpp
  void create_sampler(const std::string& owner, const NewSampler& wanted, Then<std::string> then);
  void join_sampler(const std::string& owner, const std::string& sampler_id, Then<int64_t> then);
  Reply<SamplerInfo> sampler_info(const std::string& owner, const std::string& sampler_id);
  Reply<ModelInfo> model_info(const std::string& owner, const std::string& model_id);
  std::vector<BaseModelInfo> base_models() const;
  // checkpoints.cpp
  Reply<WeightsInfo> weights_info(const std::string& owner, const std::string& path);
  void publish(const std::string& owner, const std::string& path, bool is_public, Then<Nothing> then);
  void set_ttl(const std::string& owner, const std::string& path, std::optional<int64_t> ttl, Then<Nothing> then);
  void delete_checkpoint(const std::string& owner, const std::string& path, Then<Nothing> then);
  void copy_weights(const std::string& owner, const std::string& path, const std::string& session_id,
                    const std::string& project_id, std::optional<int64_t> model_seq_id, std::optional<int64_t> ttl,
                    Then<std::string> then);
  // recovery.cpp
  void recover(std::function<void(std::exception_ptr)> done);
  void drain(std::function<void()> done);
  // status.cpp
  EngineStatus status() const;

  Futures& futures() { return futures_; }
  /// The sampler with this id if the owner may use it.
  std::optional<SamplerRecord> find_sampler(const std::string& owner, const std::string& sampler_id);

 private:
  // submit.cpp
  void submit_operation(const std::string& owner, CommandKind kind, const OperationKey& key, std::string body,
                        const Then<Accepted>& then);
  void submit_creation(const std::string& owner, CommandKind kind, const OperationKey& key, std::string body,
                       const Then<Accepted>& then);
  void submit_unload(const std::string& owner, const std::string& model_id, std::string body,
                     const Then<Accepted>& then);
  bool answer_duplicate(ModelEntry& entry, int64_t seq_id, const Then<Accepted>& then);
  std::optional<Refusal> no_room(const std::string& owner, int64_t bytes) const;
  QueuedOperation decode(const std::string& owner, CommandKind kind, const std::string& request_id,
                         const std::string& body) const;
  void journal(ModelEntry& entry, int64_t seq_id, QueuedOperation queued, std::string body, Change also);
  void journaled(const std::string& model_id, int64_t seq_id, std::exception_ptr error);
  void enqueue(ModelEntry& entry, int64_t seq_id, const QueuedOperation& queued);

  // steps.cpp: one step after the other
  void pump();
  void run(const Idle&) {}
  void run(const PassStep& step);
  void run(const BarrierStep& step);
  void run(const UnloadStep& step);
  void run(const RestoreStep& step);
  void run(const SampleStep& step);
  Job job_of(const ModelEntry& entry, int64_t seq_id);
  void look_up(Job& job, ModelEntry& entry);
  void passes_done(const std::vector<OperationRef>& operations, StepReport report);
  void unloaded(const std::string& model_id);
  void restored(const std::string& model_id, const RestoreReport& report);
  void wake_worker();

  // results.cpp
  void complete(const OperationRef& operation, JobResult result);
  void created(ModelEntry& entry, JobResult& result);
  /// Writes what has been done already: tried again until the disk takes it, and meanwhile nothing more is begun.
  void commit(std::shared_ptr<const Change> change, std::function<void()> then, bool again = false);
  void fail_operation(const OperationRef& operation, const std::string& message, FailureCategory category);
  void told(const std::string& request_id, const FutureAnswer& answer);
  void note_memory(const MemoryFigures& memory) { memory_ = memory; }

  // samples.cpp
  void sample_journaled(const std::string& request_id, std::exception_ptr error);
  void enqueue_sample(SampleEntry& entry);
  void feed(const std::string& base);
  void sample_done(FinishedSampleJob finished);
  std::optional<Refusal> stream_source(const std::string& owner, const std::string& model, SampleEntry& entry);

  // sessions.cpp
  std::optional<SessionRecord> session(const std::string& owner, const std::string& session_id);
  std::optional<Refusal> session_refusal(const std::string& owner, const std::string& session_id);
  void end_session(const std::string& session_id, const std::string& reason, const std::string& detail,
                   Then<Nothing> then);
  void housekeeping();
  void expire_sessions();
  void close_gaps();
  void expire_samples();
  void expire_checkpoints();
  void forget();
  void drop_adapters(const std::string& session_id);

  // checkpoints.cpp
  std::optional<CheckpointRecord> checkpoint(const std::string& owner, const std::string& path, bool to_change);
  void change_checkpoint(const std::string& owner, const std::string& path, const std::string& event,
                         Then<Nothing> then, std::function<std::string(Tables&, const CheckpointRecord&)> change);

  // recovery.cpp
  void recover_model(const ModelRecord& record);
  void recover_samples();
  void finish_drain();

  // state.cpp
  /// Writes; `then` runs on the loop thread, with the error or null, unless the engine is gone by then.
  void write(Change change, std::function<void(std::exception_ptr)> then);
  /// Runs on the loop thread unless the engine is gone by then. From any thread.
  std::function<void(std::function<void()>)> poster();
  std::optional<Futures::Stored> stored(const std::string& request_id);
  std::vector<Futures::Finished> finished_samples(const std::string& sampler_id, int64_t clone, int64_t cursor);
  std::string why(const std::string& request_id) const;
  void log(const std::string& message) const;
  Time now();

  Loop& loop_;
  Store& store_;
  EngineOptions options_;
  Pending pending_;
  Shares shares_;
  Futures futures_;

  std::map<std::string, SessionEntry> sessions_;   // open ones
  std::map<std::string, ModelEntry> models_;       // not unloaded
  std::map<std::string, SamplerRecord> samplers_;  // used since the start, of open sessions
  std::unordered_map<std::string, SampleEntry> samples_;
  std::map<std::string, std::deque<std::string>> waiting_samples_;  // by base, not handed to the worker
  std::map<std::string, int64_t> handed_;                           // by base
  std::map<std::string, CheckpointRecord> uncommitted_;             // by path: saved, the row is being written
  std::map<std::string, int64_t> waiting_of_;                       // operations by owner
  std::map<std::string, int64_t> samples_of_;                       // by owner
  int64_t waiting_bytes_ = 0;
  int64_t next_stream_ = 1;
  Time last_time_ = 0;

  int stalled_ = 0;  // results that the disk has refused so far
  bool recovered_ = false, busy_ = false, draining_ = false, sampling_ = false;
  std::vector<std::function<void()>> drained_;
  MemoryFigures memory_;
  EngineStatus figures_;
  Timer housekeeping_;
  Clock::time_point next_forgetting_ = Clock::time_point::min();

  Workshop workshop_;
  std::unique_ptr<Worker> worker_;
};

/// "MODEL:op:7", "SAMPLER:sample:7": a request's id is a function of what it is, so a repeat gets the same.
std::string operation_id(const std::string& model_id, int64_t seq_id);
std::string sample_id(const std::string& sampler_id, int64_t seq_id);
Accepted accepted_sample(const std::string& sampler_id, int64_t seq_id, int64_t count);
/// What is written down of a request that ended at `finished` with one of the two.
Outcome outcome_of(const std::optional<Failure>& failure, const std::optional<Payload>& payload, Time finished);
FutureAnswer answer_of(const Outcome& outcome);
/// The hour that usage at `time` is counted in.
constexpr Time usage_bucket(Time time) { return time / (3600 * second) * (3600 * second); }

}  // namespace hearth::server
