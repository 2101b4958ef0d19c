// The scheduler's rules; see the header.
#include "server/engine/scheduler.h"

#include <algorithm>
#include <optional>

namespace hearth::server {
namespace {

// What a barrier counts as, so that a model which sends nothing but steps does not always come first.
constexpr double barrier_tokens = 64;

double cost(const PendingOperation& operation) {
  return operation.pass ? static_cast<double>(operation.tokens) : barrier_tokens;
}

bool has_work(const PendingModel& model) { return model.ready() || model.unload || model.restore; }

// The least served first; equal ones by name, so that the choice is a function of what waits.
const std::pair<const std::string, PendingModel>* least_served(const Pending& pending) {
  const std::pair<const std::string, PendingModel>* best = nullptr;
  for (const auto& entry : pending.models)
    if (has_work(entry.second) && (!best || entry.second.served < best->second.served)) best = &entry;
  return best;
}

const std::pair<const std::string, PendingBase>* base_with_samples(const Pending& pending) {
  const std::pair<const std::string, PendingBase>* best = nullptr;
  for (const auto& entry : pending.bases)
    if (entry.second.samples > 0 && (!best || entry.second.served < best->second.served)) best = &entry;
  return best;
}

// A model's requests from its next one on, as one step takes them.
struct Cursor {
  const std::string* name;
  const PendingModel* model;
  std::map<int64_t, PendingOperation>::const_iterator at;
  double served;

  bool pass_is_next() const {
    if (at == model->waiting.end() || !at->second.pass) return false;
    return at == model->waiting.begin() ? at->first == model->next : at->first == std::prev(at)->first + 1;
  }
};

PassStep merge_passes(const Pending& pending, const std::string& first, int64_t budget) {
  PassStep step{pending.models.at(first).base, {}};
  std::vector<Cursor> cursors;
  for (const auto& [name, model] : pending.models)
    if (model.base == step.base && !model.restore)
      cursors.push_back({&name, &model, model.waiting.begin(), model.served});
  int64_t tokens = 0;
  while (true) {
    Cursor* least = nullptr;
    for (auto& cursor : cursors)
      if (cursor.pass_is_next() && (!least || cursor.served < least->served)) least = &cursor;
    if (!least) return step;
    const int64_t more = least->at->second.tokens;
    if (!step.operations.empty() && tokens + more > budget) return step;
    step.operations.push_back({*least->name, least->at->first});
    tokens += more;
    least->served += cost(least->at->second);
    ++least->at;
  }
}

bool trains_next(const Shares& shares) {
  return shares.training * (1 - shares.training_share) <= shares.sampling * shares.training_share;
}

// The time of one side at which neither has credit.
double even_training(const Shares& shares) {
  return shares.sampling * shares.training_share / std::max(1 - shares.training_share, 1e-9);
}

double even_sampling(const Shares& shares) {
  return shares.training * (1 - shares.training_share) / std::max(shares.training_share, 1e-9);
}

// The level at which a model begins that had nothing to do.
std::optional<double> lowest_level(const Pending& pending, const std::string& except) {
  std::optional<double> level;
  for (const auto& [name, model] : pending.models)
    if (name != except && !model.waiting.empty() && (!level || model.served < *level)) level = model.served;
  return level;
}

bool training_waits(const Pending& pending) {
  return std::any_of(pending.models.begin(), pending.models.end(), [](const auto& m) { return has_work(m.second); });
}

bool samples_wait(const Pending& pending) {
  return std::any_of(pending.bases.begin(), pending.bases.end(), [](const auto& b) { return b.second.samples > 0; });
}

}  // namespace

Step next_step(const Pending& pending, const Shares& shares) {
  const auto* model = least_served(pending);
  const auto* base = base_with_samples(pending);
  if (base && (!model || !trains_next(shares))) return SampleStep{base->first, model != nullptr};
  if (!model) return Idle{};
  if (model->second.unload && !model->second.ready()) return UnloadStep{model->first};
  if (model->second.restore) return RestoreStep{model->first};
  const auto& [seq, operation] = *model->second.waiting.begin();
  if (!operation.pass) return BarrierStep{{model->first, seq}};
  return merge_passes(pending, model->first, shares.token_budget);
}

void add_operation(Pending& pending, Shares& shares, const std::string& model, int64_t seq,
                   const PendingOperation& operation) {
  if (!training_waits(pending)) shares.training = std::max(shares.training, even_training(shares));
  PendingModel& entry = pending.models[model];
  if (entry.waiting.empty())
    if (const auto level = lowest_level(pending, model)) entry.served = std::max(entry.served, *level);
  entry.waiting.emplace(seq, operation);
}

void finish_operation(Pending& pending, const OperationRef& operation) {
  const auto model = pending.models.find(operation.model);
  if (model == pending.models.end()) return;
  const auto found = model->second.waiting.find(operation.seq);
  if (found != model->second.waiting.end()) {
    model->second.served += cost(found->second);
    model->second.waiting.erase(found);
  }
  model->second.next = std::max(model->second.next, operation.seq + 1);
}

void add_samples(Pending& pending, Shares& shares, const std::string& base, int64_t count) {
  if (count > 0 && !samples_wait(pending)) shares.sampling = std::max(shares.sampling, even_sampling(shares));
  PendingBase& entry = pending.bases[base];
  if (count > 0 && entry.samples == 0)
    for (const auto& [name, other] : pending.bases)
      if (name != base && other.samples > 0) entry.served = std::max(entry.served, other.served);
  entry.samples = std::max<int64_t>(0, entry.samples + count);
}

void charge_training(Pending& pending, Shares& shares, double seconds) {
  if (samples_wait(pending)) shares.training += seconds;
}

void charge_sampling(Pending& pending, Shares& shares, const std::string& base, double seconds) {
  pending.bases[base].served += seconds;
  if (training_waits(pending)) shares.sampling += seconds;
}

std::vector<Gap> find_gaps(const Pending& pending, Clock::duration limit) {
  std::vector<Gap> gaps;
  for (const auto& [name, model] : pending.models) {
    if (model.waiting.empty() || model.ready()) continue;
    auto oldest = Clock::time_point::max();
    for (const auto& [seq, operation] : model.waiting) oldest = std::min(oldest, operation.arrived);
    gaps.push_back({name, model.next, oldest + limit});
  }
  std::sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.give_up_at < b.give_up_at; });
  return gaps;
}

std::vector<int64_t> close_gap(PendingModel& model) {
  std::vector<int64_t> numbers;
  for (const auto& [seq, operation] : model.waiting) numbers.push_back(seq);
  if (!numbers.empty()) model.next = numbers.back() + 1;
  model.waiting.clear();
  return numbers;
}

}  // namespace hearth::server
