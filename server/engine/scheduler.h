// The scheduler: what waits -> what is done next. A pure function without clock, thread or model, so that its rules can
// be tested alone.
//
// The rules:
//  1. Per model strictly by seq_id. What arrives early waits for its turn.
//  2. Create, optim_step, load, save and unload are barriers: nothing of their model runs beside them. Forward and
//     forward-backward requests between barriers, of all models over one base, go into one step, up to a budget of
//     tokens (a larger request goes alone).
//  3. Training and sampling take turns by measured time: each gets its share while both wait, all of it while the other
//     has nothing to do. Time in which a side had nothing to do gives it no credit.
//  4. Among models the least served by tokens comes first; among bases with samples the least served by time. A model
//     that was idle begins at the level of the least served one that waits.
//  5. A number that is missing for longer than the gap's limit fails what waits behind it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace hearth::server {

using Clock = std::chrono::steady_clock;

/// A training request as the scheduler sees it.
struct PendingOperation {
  bool pass = false;   ///< forward or forward-backward; else a barrier
  int64_t tokens = 0;  ///< of a pass
  Clock::time_point arrived;
};

struct PendingModel {
  std::string base;                             ///< known once the model is created
  int64_t next = 0;                             ///< the number that runs next; creating a model is number 0
  std::map<int64_t, PendingOperation> waiting;  ///< by seq_id; none below `next`
  double served = 0;                            ///< tokens so far, or more: see rule 4
  bool restore = false;                         ///< is on disk only and must be brought back first
  bool unload = false;                          ///< wanted once nothing is ready any more

  bool ready() const { return !waiting.empty() && waiting.begin()->first == next; }
};

struct PendingBase {
  int64_t samples = 0;  ///< waiting or running
  double served = 0;    ///< seconds of sampling
};

struct Pending {
  std::map<std::string, PendingModel> models;
  std::map<std::string, PendingBase> bases;
};

/// Measured time of both sides, as far as it counts for whose turn it is.
struct Shares {
  double training_share = 0.5;
  int64_t token_budget = 4096;
  double training = 0, sampling = 0;  ///< seconds
};

struct OperationRef {
  std::string model;
  int64_t seq = 0;
  bool operator==(const OperationRef&) const = default;
};

struct Idle {};
/// Passes of models over one base, in the order of their results.
struct PassStep {
  std::string base;
  std::vector<OperationRef> operations;
};
struct BarrierStep {
  OperationRef operation;
};
struct UnloadStep {
  std::string model;
};
struct RestoreStep {
  std::string model;
};
/// Continue the samples of a base; `training_waits` makes the slice short.
struct SampleStep {
  std::string base;
  bool training_waits = false;
};
using Step = std::variant<Idle, PassStep, BarrierStep, UnloadStep, RestoreStep, SampleStep>;

/// What is done next. Example: Step step = next_step(pending, shares);
Step next_step(const Pending& pending, const Shares& shares);

/// Takes note of a request; a model, or a side, that was idle begins without credit.
void add_operation(Pending& pending, Shares& shares, const std::string& model, int64_t seq,
                   const PendingOperation& operation);
/// Takes note that a request is over. Must be called in the order of numbers.
void finish_operation(Pending& pending, const OperationRef& operation);
/// Takes note of samples that began or ended to wait, of a base.
void add_samples(Pending& pending, Shares& shares, const std::string& base, int64_t count);

/// Takes note of measured time; what ran while the other side had nothing to do costs no share.
void charge_training(Pending& pending, Shares& shares, double seconds);
void charge_sampling(Pending& pending, Shares& shares, const std::string& base, double seconds);

/// A model that waits for a number that has not come: nothing of it runs until `give_up_at`.
struct Gap {
  std::string model;
  int64_t missing = 0;
  Clock::time_point give_up_at;
};
/// All gaps, soonest first.
std::vector<Gap> find_gaps(const Pending& pending, Clock::duration limit);
/// Gives the missing number up: returns the numbers that waited behind it, which fail, and goes on behind them.
std::vector<int64_t> close_gap(PendingModel& model);

}  // namespace hearth::server
