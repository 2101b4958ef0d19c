// EngineState, recovery: what the record says is brought back; and draining, which leaves little to bring back.
#include "hearth/core/error.h"
#include "server/engine/state.h"

namespace hearth::server {

void EngineState::recover(std::function<void(std::exception_ptr)> done) {
  std::exception_ptr error;
  try {
    for (const auto& record : store_.read().open_sessions()) sessions_[record.id] = {record, Clock::now()};
    for (const auto& record : store_.read().live_models()) recover_model(record);
    recovered_ = true;
    recover_samples();
    housekeeping();
    pump();
  } catch (...) {
    error = std::current_exception();
  }
  poster()([done = std::move(done), error] { done(error); });
}

// A model whose creation was never finished begins with it; any other is restored before its first request.
void EngineState::recover_model(const ModelRecord& record) {
  ModelEntry& entry = models_[record.id];
  entry.record = record;
  PendingModel& pending = pending_.models[record.id];
  pending.base = record.base_model;
  int64_t last = -1;
  for (const auto& brief : store_.read().operation_briefs(record.id)) {
    if (brief.outcome.state == OperationState::queued) continue;
    last = std::max(last, brief.seq_id);
    if (brief.seq_id != OperationKey::creation) continue;
    entry.created = brief.outcome.state == OperationState::done;
    if (!entry.created) entry.dead = "the model was not created: " + brief.outcome.error;
  }
  pending.next = last + 1;
  pending.restore = entry.created;
  if (!sessions_.count(record.session_id)) pending.unload = true;
  for (auto& operation : store_.read().operations(record.id, INT64_MIN)) {
    if (operation.outcome.state != OperationState::queued) continue;
    QueuedOperation queued =
        decode(operation.owner, command_kind(operation.kind), operation.request_id, operation.body);
    queued.durable = true;
    ++waiting_of_[queued.owner];
    waiting_bytes_ += queued.bytes;
    const auto& kept = entry.queued.emplace(operation.seq_id, std::move(queued)).first->second;
    if (operation.seq_id == OperationKey::unnumbered || operation.seq_id > last)
      enqueue(entry, operation.seq_id, kept);
    else
      futures_.begin(kept.request_id, kept.owner);  // bringing the model back does it again
  }
}

void EngineState::recover_samples() {
  for (const auto& record : store_.read().queued_samples()) {
    SampleEntry entry;
    entry.request_id = record.request_id;
    entry.owner = record.owner;
    entry.sampler_id = record.sampler_id;
    entry.seq_id = record.seq_id;
    entry.bytes = static_cast<int64_t>(record.body.size());
    entry.arrived = Clock::now();
    entry.job.request_id = record.request_id;
    entry.job.seed = record.seed;
    const auto sampler = find_sampler(record.owner, record.sampler_id);
    if (!sampler) continue;  // removed with its session; nobody may ask any more
    entry.session_id = sampler->session_id;
    entry.job.base = sampler->base_model;
    entry.job.adapter_folder = sampler->snapshot_folder;
    entry.job.adapter_hash = sampler->snapshot_hash;
    entry.job.sample = std::make_shared<const Sample>(decode_sample(record.body));
    ++samples_of_[entry.owner];
    waiting_bytes_ += entry.bytes;
    enqueue_sample(samples_.emplace(record.request_id, std::move(entry)).first->second);
  }
}

void EngineState::drain(std::function<void()> done) {
  draining_ = true;
  drained_.push_back(std::move(done));
  wake_worker();
  if (!recovered_) return finish_drain();
  pump();
}

// The worker is idle: what is on disk becomes the newest state wherever no gradient is accumulated.
void EngineState::finish_drain() {
  busy_ = true;
  worker_->start([this, post = poster()] {
    auto points = std::make_shared<std::map<std::string, RecoveryPoint>>(workshop_.recovery_points());
    post([this, points] {
      write(
          [points](Tables& tables) {
            for (const auto& [id, point] : *points) tables.set_recovery(id, point.seq_id, point.folder, point.hash);
          },
          [this](std::exception_ptr error) {
            if (error) log("drain: " + failure_of(error).message);
            futures_.release();
            for (const auto& done : std::exchange(drained_, {})) done();
          });
    });
    return false;
  });
}

}  // namespace hearth::server
