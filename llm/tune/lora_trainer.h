// LoraTrainer: one adapter in training over a shared frozen base, driven request by request: gradients add up until a
// step takes them.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "hearth/io/file_system.h"
#include "llm/lora/adapter.h"
#include "llm/loss/token_loss.h"
#include "llm/models/causal_lm.h"

namespace hearth::llm {

/// One training sequence: token t predicts `targets[t]` (nothing is shifted here).
struct TrainDatum {
  std::vector<int32_t> tokens;
  std::vector<int64_t> targets;                      ///< tokens * targets_per_token ids, row by row
  int64_t targets_per_token = 1;                     ///< K of the (tokens, K) form
  std::map<std::string, std::vector<float>> inputs;  ///< "weights", "logprobs", "advantages"...: one number a target
};

/// What one update does; see torch.optim.AdamW for the meaning of each.
struct AdamStep {
  double learning_rate = 1e-4;
  double beta1 = 0.9, beta2 = 0.95;
  double eps = 1e-12;
  double weight_decay = 0;    ///< decoupled
  double grad_clip_norm = 0;  ///< largest Euclidean norm of all gradients together; 0: any
};

/// What a forward or forward-backward request ends as.
struct LossResult {
  std::vector<std::vector<float>> log_probs;  ///< of every target of each datum, under the weights as they were
  double loss = 0;                            ///< sum over all targets
  std::map<std::string, double> metrics;      ///< "loss:sum", "tokens:sum"...; keys are name:reduction
};

/// An adapter config from what a client chooses: alpha 32 for every rank, no dropout. Raises ValueError for a rank
/// outside [1, 4096] or when nothing would be trained.
/// Example: LoraTrainer t(base, lora_config({.rank = 8, .unembed = false}), seed, fingerprint);
struct LoraChoice {
  int64_t rank = 32;
  bool attn = true;     ///< q, k, v, o projections
  bool mlp = true;      ///< gate, up, down projections
  bool unembed = true;  ///< output layer; only its own use where it is tied to the embedding
};
LoraConfig lora_config(const LoraChoice& choice);
/// The choice that an adapter with such a config came from. Raises ValueError when it came from none.
LoraChoice lora_choice(const LoraConfig& config);

/// State: adapter, Adam's moments, step, accumulated gradient. It has no thread of its own and is used by one thread
/// at a time; snapshots may be used and dropped by any.
class LoraTrainer {
 public:
  /// A new adapter: A drawn from `seed`, B zero. `fingerprint` is that of the base and goes into what is saved.
  /// The base must be frozen. Raises ValueError.
  LoraTrainer(std::shared_ptr<const CausalLm> base, LoraConfig config, uint64_t seed, std::string fingerprint);
  /// The adapter of a folder that `save` wrote (rank and layers as there); with `optimizer` its moments and step too.
  /// Raises IoError for missing or broken files, ValueError for another base.
  static LoraTrainer open(std::shared_ptr<const CausalLm> base, const std::string& folder, bool optimizer,
                          std::string fingerprint, FileSystem& fs = real_file_system());

  LoraTrainer(LoraTrainer&&) noexcept;
  LoraTrainer& operator=(LoraTrainer&&) noexcept;
  ~LoraTrainer();

  /// Every rule of a request; computes nothing and changes nothing. Raises ValueError or IndexError naming the datum
  /// (counted from 0), the field and the position: `forward_backward: RULE: datum 3, advantages[17]: nan`.
  void check(const std::vector<TrainDatum>& data, const LossSpec& spec) const;

  /// One AdamW update with the accumulated gradient (zeros when there is none), which is then cleared. Returns
  /// "unclipped_grad_l2:mean", "step:max" and more. Raises ValueError for settings out of range or a gradient that is
  /// not finite; the state is untouched then.
  std::map<std::string, double> optim_step(const AdamStep& step);

  /// The adapter as it is now, frozen: later steps change copies. Costs no memory until the next step.
  std::shared_ptr<const LoraAdapter> snapshot() const;

  /// Writes adapter_config.json and adapter_model.safetensors (PEFT's form), optimizer.safetensors and
  /// lora_trainer.json into `folder`, each atomically. The accumulated gradient is not saved. `base_name` is written as
  /// the adapter's base. Raises IoError.
  void save(const std::string& folder, const std::string& base_name, FileSystem& fs = real_file_system()) const;
  /// Takes the weights of a saved folder and, with `optimizer`, its moments and step; without it both begin anew. The
  /// accumulated gradient is dropped: it belonged to the weights before. Raises as `open`, and ValueError when rank or
  /// layers differ from this trainer's; the state is untouched then.
  void load(const std::string& folder, bool optimizer, FileSystem& fs = real_file_system());

  bool has_gradient() const;
  int64_t step() const;  ///< updates so far
  const LoraConfig& config() const;
  const CausalLm& base() const;
  const std::shared_ptr<const CausalLm>& shared_base() const;
  const std::string& fingerprint() const;
  /// Memory of weights, moments and gradient.
  int64_t bytes() const;
  /// BLAKE2b of names, shapes and bits of weights, moments and accumulated gradient, and of the step; 64 hex digits.
  std::string state_hash() const;

 private:
  friend class RequestPass;
  struct State;
  explicit LoraTrainer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One forward or forward-backward request. `data` and `spec` must outlive the pass.
struct PassRequest {
  LoraTrainer* trainer = nullptr;
  const std::vector<TrainDatum>* data = nullptr;
  const LossSpec* spec = nullptr;
  bool forward_only = false;  ///< the gradient stays as it is
};

using PassOutcome = std::variant<LossResult, std::exception_ptr>;

/// Computes many requests of many trainers over one base together; the results, and the bits of every gradient, are
/// those of one request after the other. Each request is cut into units (datums in order, at most 2048 tokens, a longer
/// datum alone); a unit's gradient is one product over its own rows, added to the trainer's in the order of requests.
/// Not more than 2048 tokens (or one longer datum) are in flight at once. A request that breaks a rule, or whose loss
/// or gradient is not finite, ends as the exception and leaves its trainer's gradient as it was. Raises ValueError when
/// the trainers' bases differ.
/// `between` is called between two parts of the work (about 2048 tokens each), so that a long step need not hold up
/// what else the thread has to do; it must leave the trainers alone.
std::vector<PassOutcome> forward_backward(const std::vector<PassRequest>& requests,
                                          const std::function<void()>& between = {});

/// How a request is cut: number of datums in each unit. A pure function of the lengths.
std::vector<size_t> cut_into_units(const std::vector<TrainDatum>& data);

/// Tokens of a request.
int64_t token_count(const std::vector<TrainDatum>& data);

}  // namespace hearth::llm
