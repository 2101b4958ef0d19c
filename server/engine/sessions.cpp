// EngineState, sessions: heartbeats, ends, and what is looked at from time to time.
#include <sodium.h>

#include "hearth/core/error.h"
#include "server/engine/state.h"
#include "server/store/names.h"

namespace hearth::server {
namespace {

// Results and cursors that nobody asked for so long are only in the store.
constexpr std::chrono::minutes cache_age{2};

// 128 random bits: nobody guesses another's session.
std::string new_id() {
  unsigned char bytes[16];
  randombytes_buf(bytes, sizeof bytes);
  char text[33];
  sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
  const std::string hex(text);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

}  // namespace

void EngineState::create_session(const std::string& owner, NewSession wanted, Then<std::string> then) {
  if (draining_) return then(Refusal{503, "the server is shutting down", 5});
  SessionRecord record;
  record.id = new_id();
  record.owner = owner;
  record.created = record.last_seen = now();
  record.sdk_version = std::move(wanted.sdk_version);
  record.project_id = std::move(wanted.project_id);
  record.display_name = std::move(wanted.display_name);
  if (!wanted.tags.empty()) record.tags = std::move(wanted.tags);
  if (!wanted.user_metadata.empty()) record.user_metadata = std::move(wanted.user_metadata);
  write([record](Tables& tables) { tables.insert(record); },
        [this, record, then](std::exception_ptr error) {
          if (error) return then(Refusal{503, failure_of(error).message, 1});
          sessions_[record.id] = {record, Clock::now()};
          then(record.id);
        });
}

std::optional<SessionRecord> EngineState::session(const std::string& owner, const std::string& session_id) {
  std::optional<SessionRecord> record;
  if (const auto open = sessions_.find(session_id); open != sessions_.end())
    record = open->second.record;
  else
    record = store_.read().session(session_id);
  if (!record || record->owner != owner) return {};
  return record;
}

std::optional<Refusal> EngineState::session_refusal(const std::string& owner, const std::string& session_id) {
  const auto record = session(owner, session_id);
  if (!record) return Refusal{404, "no such session: " + session_id};
  if (!sessions_.count(session_id)) return Refusal{410, "the session has ended: " + session_id};
  return {};
}

Reply<Nothing> EngineState::heartbeat(const std::string& owner, const std::string& session_id) {
  if (const auto refusal = session_refusal(owner, session_id)) return *refusal;
  SessionEntry& entry = sessions_.at(session_id);
  entry.seen = Clock::now();
  entry.record.last_seen = now();
  store_.write([id = session_id, time = entry.record.last_seen](Tables& tables) { tables.touch_session(id, time); });
  return Nothing{};
}

void EngineState::finish_session(const std::string& owner, const std::string& session_id, const std::string& reason,
                                 const std::string& detail, Then<Nothing> then) {
  const auto record = session(owner, session_id);
  if (!record) return then(Refusal{404, "no such session: " + session_id});
  if (!sessions_.count(session_id)) return then(Nothing{});
  end_session(session_id, reason, detail, std::move(then));
}

// Its models end once nothing of them is ready any more; samples that wait are still answered; checkpoints stay.
void EngineState::end_session(const std::string& session_id, const std::string& reason, const std::string& detail,
                              Then<Nothing> then) {
  const SessionRecord record = sessions_.at(session_id).record;
  sessions_.erase(session_id);
  for (auto& [id, entry] : models_)
    if (entry.record.session_id == session_id) pending_.models[id].unload = true;
  drop_adapters(session_id);
  std::erase_if(samplers_, [&](const auto& sampler) { return sampler.second.session_id == session_id; });
  write([session_id, reason, detail,
         time = now()](Tables& tables) { tables.finish_session(session_id, time, reason, detail); },
        [then](std::exception_ptr error) {
          if (error) return then(Refusal{503, failure_of(error).message, 1});
          then(Nothing{});
        });
  wake_worker();
  pump();
}

// Who else samples from one of them finds it on disk.
void EngineState::drop_adapters(const std::string& session_id) {
  std::vector<std::string> hashes;
  for (const auto& [id, sampler] : samplers_)
    if (sampler.session_id == session_id && !sampler.snapshot_hash.empty()) hashes.push_back(sampler.snapshot_hash);
  if (hashes.empty()) return;
  worker_->post([this, post = poster(), hashes = std::move(hashes)] {
    workshop_.drop_adapters(hashes);
    post([this, memory = workshop_.memory()] { note_memory(memory); });
  });
}

void EngineState::housekeeping() {
  expire_sessions();
  close_gaps();
  expire_samples();
  expire_checkpoints();
  futures_.forget_idle(cache_age);
  forget();
  housekeeping_ = loop_.after(options_.housekeeping, [weak = weak_from_this()] {
    if (const auto alive = weak.lock()) alive->housekeeping();
  });
}

void EngineState::expire_sessions() {
  std::vector<std::string> silent;
  for (const auto& [id, entry] : sessions_)
    if (Clock::now() - entry.seen > options_.session_grace) silent.push_back(id);
  for (const auto& id : silent) {
    log("session " + id + " expired: no heartbeat for " + std::to_string(options_.session_grace.count()) + " s");
    end_session(id, "expired", "no heartbeat", [](const Reply<Nothing>&) {});
  }
}

void EngineState::close_gaps() {
  for (const auto& gap : find_gaps(pending_, options_.gap_timeout)) {
    if (gap.give_up_at > Clock::now()) return;
    PendingModel& model = pending_.models.at(gap.model);
    if (model.restore) continue;
    const std::string words = "seq_id " + std::to_string(gap.missing) + " did not arrive within " +
                              std::to_string(options_.gap_timeout.count()) + " s; what came after it was given up";
    log(gap.model + ": " + words);
    for (const int64_t seq_id : close_gap(model)) fail_operation({gap.model, seq_id}, words, FailureCategory::server);
  }
}

void EngineState::expire_samples() {
  std::vector<std::string> late;
  for (const auto& [id, entry] : samples_)
    if (entry.durable && Clock::now() - entry.arrived > options_.sample_deadline) late.push_back(id);
  for (const auto& id : late) {
    const SampleEntry& entry = samples_.at(id);
    if (entry.handed) worker_->post([this, id] { workshop_.cancel_sample(id); });
    FinishedSampleJob finished;
    finished.request_id = id;
    finished.failure = Failure{"sample: took longer than " + std::to_string(options_.sample_deadline.count()) + " s",
                               FailureCategory::server};
    sample_done(std::move(finished));
  }
}

// Slow and waiting for the writer, so not here: the store outlives what it does in the background.
void EngineState::forget() {
  if (Clock::now() < next_forgetting_) return;
  next_forgetting_ = Clock::now() + options_.retention_interval;
  store_.background([&store = store_, settings = options_.retention, time = now(), log = options_.log] {
    try {
      run_retention(store, settings, time);
    } catch (const std::exception& error) {
      if (log) log(std::string("retention: ") + error.what());
    }
  });
}

void EngineState::expire_checkpoints() {
  for (const auto& record : store_.read().expired_checkpoints(now())) {
    const std::string path = CheckpointPath{record.run, record.type, record.name}.text();
    delete_checkpoint(record.owner, path, [](const Reply<Nothing>&) {});
  }
}

}  // namespace hearth::server
