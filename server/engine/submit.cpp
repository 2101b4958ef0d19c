// EngineState, training requests: duplicates, numbers, limits, the journal, and then the queue.
#include <random>

#include "hearth/core/error.h"
#include "server/engine/state.h"

namespace hearth::server {
namespace {

bool is_pass(const QueuedOperation& queued) {
  return queued.refused.empty() && std::holds_alternative<ForwardBackward>(*queued.command);
}

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t(device()) << 32 | device()) >> 1;  // fits a signed column
}

ModelRecord record_of(const QueuedOperation& queued, const OperationKey& key) {
  ModelRecord record;
  record.id = key.model_id;
  record.session_id = key.session_id;
  record.owner = queued.owner;
  if (!queued.command) return record;
  if (const auto* create = std::get_if<CreateModel>(queued.command.get())) {
    record.base_model = create->base_model;
    record.rank = create->rank;
    record.seed = create->seed.value_or(random_seed());
    record.train_mlp = create->train_mlp;
    record.train_attn = create->train_attn;
    record.train_unembed = create->train_unembed;
    record.user_metadata = create->user_metadata;
    record.optimizer = create->optimizer;
  } else if (const auto* load = std::get_if<LoadWeights>(queued.command.get())) {
    record.base_model = load->base_model.value_or("");
    record.from_path = load->path;
    record.user_metadata = load->user_metadata.value_or("{}");
  }
  return record;
}

}  // namespace

void EngineState::submit(const std::string& owner, CommandKind kind, std::string body, const Then<Accepted>& then) {
  if (draining_) return then(Refusal{503, "the server is shutting down", 5});
  const auto key = read_key(kind, body);
  if (!key) try {
      decode_training(kind, body);
      return then(Refusal{400, std::string(command_name(kind)) + ": names no model"});
    } catch (const std::exception& error) {
      return then(Refusal{400, error.what()});
    }
  if (kind == CommandKind::unload_model) return submit_unload(owner, key->model_id, std::move(body), then);
  if (!key->session_id.empty()) return submit_creation(owner, kind, *key, std::move(body), then);
  submit_operation(owner, kind, *key, std::move(body), then);
}

void EngineState::submit_creation(const std::string& owner, CommandKind kind, const OperationKey& key, std::string body,
                                  const Then<Accepted>& then) {
  if (const auto refusal = session_refusal(owner, key.session_id)) return then(*refusal);
  if (const auto found = models_.find(key.model_id); found != models_.end()) {
    answer_duplicate(found->second, OperationKey::creation, then);
    return;
  }
  if (const auto known = store_.read().model(key.model_id)) {
    if (known->owner != owner) return then(Refusal{404, "no such model: " + key.model_id});
    return then(Accepted{operation_id(key.model_id, OperationKey::creation), {}});
  }
  if (const auto refusal = no_room(owner, static_cast<int64_t>(body.size()))) return then(*refusal);
  QueuedOperation queued = decode(owner, kind, operation_id(key.model_id, OperationKey::creation), body);
  int64_t live = 0;
  for (const auto& [id, entry] : models_) live += entry.record.owner == owner && entry.dead.empty();
  if (live >= options_.quotas.live_models && queued.refused.empty())
    queued.refused = "create_model: too many models at a time, at most " + std::to_string(options_.quotas.live_models) +
                     "; unload one or finish its session";
  queued.answers.push_back(then);
  ModelEntry& entry = models_[key.model_id];
  entry.record = record_of(queued, key);
  entry.record.created = entry.record.last_request = now();
  journal(entry, OperationKey::creation, std::move(queued), std::move(body),
          [record = entry.record](Tables& tables) { tables.insert(record); });
}

void EngineState::submit_operation(const std::string& owner, CommandKind kind, const OperationKey& key,
                                   std::string body, const Then<Accepted>& then) {
  const auto found = models_.find(key.model_id);
  if (found == models_.end()) {
    const auto known = store_.read().model(key.model_id);
    if (!known || known->owner != owner) return then(Refusal{404, "no such model: " + key.model_id});
    if (store_.read().operation(key.model_id, key.seq_id))
      return then(Accepted{operation_id(key.model_id, key.seq_id), {}});
    return then(Refusal{410, "the model was unloaded, or its session ended: " + key.model_id});
  }
  ModelEntry& entry = found->second;
  if (entry.record.owner != owner) return then(Refusal{404, "no such model: " + key.model_id});
  if (key.seq_id < 1) return then(Refusal{400, "seq_id must be at least 1: " + std::to_string(key.seq_id)});
  if (answer_duplicate(entry, key.seq_id, then)) return;
  if (const auto refusal = no_room(owner, static_cast<int64_t>(body.size()))) return then(*refusal);
  QueuedOperation queued = decode(owner, kind, operation_id(key.model_id, key.seq_id), body);
  queued.answers.push_back(then);
  journal(entry, key.seq_id, std::move(queued), std::move(body),
          [id = key.model_id, time = now()](Tables& tables) { tables.touch_model(id, time); });
}

void EngineState::submit_unload(const std::string& owner, const std::string& model_id, std::string body,
                                const Then<Accepted>& then) {
  const auto found = models_.find(model_id);
  const std::string request_id = operation_id(model_id, OperationKey::unnumbered);
  if (found == models_.end() || found->second.record.owner != owner) {
    const auto operation = store_.read().operation(request_id);
    if (operation && operation->owner == owner) return then(Accepted{request_id, {}});
    return then(Refusal{404, "no such model: " + model_id});
  }
  if (answer_duplicate(found->second, OperationKey::unnumbered, then)) return;
  QueuedOperation queued = decode(owner, CommandKind::unload_model, request_id, body);
  queued.answers.push_back(then);
  journal(found->second, OperationKey::unnumbered, std::move(queued), std::move(body), [](Tables&) {});
}

// A number that is queued answers when it is durable, one that is over at once.
bool EngineState::answer_duplicate(ModelEntry& entry, int64_t seq_id, const Then<Accepted>& then) {
  const Accepted accepted{operation_id(entry.record.id, seq_id), {}};
  if (const auto queued = entry.queued.find(seq_id); queued != entry.queued.end()) {
    if (queued->second.durable)
      then(accepted);
    else
      queued->second.answers.push_back(then);
    return true;
  }
  if (seq_id != OperationKey::unnumbered && seq_id >= pending_.models[entry.record.id].next) return false;
  if (!futures_.waits(accepted.request_id) && !store_.read().operation(accepted.request_id)) return false;
  then(accepted);
  return true;
}

std::optional<Refusal> EngineState::no_room(const std::string& owner, int64_t bytes) const {
  const auto of_owner = waiting_of_.find(owner);
  if (of_owner != waiting_of_.end() && of_owner->second >= options_.quotas.waiting_operations)
    return Refusal{429, "too many requests wait, at most " + std::to_string(options_.quotas.waiting_operations), 1};
  if (waiting_bytes_ + bytes > options_.waiting_bytes && waiting_bytes_ > 0)
    return Refusal{429, "the waiting requests take too much memory", 1};
  return {};
}

// A body that cannot be read still has its number: it fails when its turn comes, and the next one goes on.
QueuedOperation EngineState::decode(const std::string& owner, CommandKind kind, const std::string& request_id,
                                    const std::string& body) const {
  QueuedOperation queued;
  queued.request_id = request_id;
  queued.owner = owner;
  queued.kind = kind;
  queued.bytes = static_cast<int64_t>(body.size());
  try {
    queued.command = std::make_shared<const TrainingCommand>(decode_training(kind, body, options_.unknown));
  } catch (const std::exception& error) {
    queued.refused = error.what();
  }
  return queued;
}

void EngineState::journal(ModelEntry& entry, int64_t seq_id, QueuedOperation queued, std::string body, Change also) {
  OperationRecord record;
  record.request_id = queued.request_id;
  record.model_id = entry.record.id;
  record.seq_id = seq_id;
  record.owner = queued.owner;
  record.kind = command_name(queued.kind);
  record.body = std::move(body);
  record.received = now();
  ++waiting_of_[queued.owner];
  waiting_bytes_ += queued.bytes;
  entry.queued.emplace(seq_id, std::move(queued));
  write(
      [record = std::move(record), also = std::move(also)](Tables& tables) {
        also(tables);
        tables.insert(record);
      },
      [this, model_id = entry.record.id, seq_id](std::exception_ptr error) { journaled(model_id, seq_id, error); });
}

void EngineState::journaled(const std::string& model_id, int64_t seq_id, std::exception_ptr error) {
  const auto model = models_.find(model_id);
  if (model == models_.end()) return;
  const auto found = model->second.queued.find(seq_id);
  if (found == model->second.queued.end()) return;
  auto answers = std::move(found->second.answers);
  found->second.answers.clear();
  if (error) {
    const Refusal refusal{503, "the request could not be written down: " + failure_of(error).message, 1};
    --waiting_of_[found->second.owner];
    waiting_bytes_ -= found->second.bytes;
    model->second.queued.erase(found);
    if (seq_id == OperationKey::creation) models_.erase(model);
    for (const auto& answer : answers) answer(refusal);
    return;
  }
  found->second.durable = true;
  const Accepted accepted{found->second.request_id, {}};
  enqueue(model->second, seq_id, found->second);
  for (const auto& answer : answers) answer(accepted);
  pump();
}

void EngineState::enqueue(ModelEntry& entry, int64_t seq_id, const QueuedOperation& queued) {
  futures_.begin(queued.request_id, queued.owner);
  if (seq_id == OperationKey::unnumbered) {
    pending_.models[entry.record.id].unload = true;
  } else if (seq_id < pending_.models[entry.record.id].next) {
    fail_operation({entry.record.id, seq_id}, "seq_id " + std::to_string(seq_id) + " came too late: it was given up",
                   FailureCategory::server);
    return;
  } else {
    PendingOperation operation;
    operation.pass = is_pass(queued);
    if (operation.pass) operation.tokens = tokens_of(std::get<ForwardBackward>(*queued.command).data);
    operation.arrived = Clock::now();
    add_operation(pending_, shares_, entry.record.id, seq_id, operation);
  }
  wake_worker();
}

// Training requests stop only where they have not begun; their number then fails when its turn comes.
void EngineState::cancel(const std::string& owner, const std::string& request_id) {
  if (const auto sample = samples_.find(request_id); sample != samples_.end()) {
    if (sample->second.owner != owner || !sample->second.durable) return;
    FinishedSampleJob cancelled;
    cancelled.request_id = request_id;
    cancelled.failure = Failure{"sample: was cancelled", FailureCategory::user};
    if (sample->second.handed) worker_->post([this, request_id] { workshop_.cancel_sample(request_id); });
    return sample_done(std::move(cancelled));
  }
  const auto cut = request_id.rfind(":op:");
  if (cut == std::string::npos) return;
  const auto model = models_.find(request_id.substr(0, cut));
  if (model == models_.end() || model->second.record.owner != owner) return;
  for (auto& [seq_id, queued] : model->second.queued)
    if (queued.request_id == request_id && queued.refused.empty()) queued.refused = "the request was cancelled";
}

}  // namespace hearth::server
