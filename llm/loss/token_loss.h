// Losses over log-probabilities of targets, by name: what clients of a trainer choose from.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::llm {

/// A loss and its settings as a client chose them; what is left out has its default.
struct LossSpec {
  std::string name = "cross_entropy";
  std::map<std::string, double> config;
};

/// What a loss sees of one sequence: one number a target in every span; an input that is absent is empty.
struct LossInputs {
  std::span<const float> log_probs;  ///< under the model in training; empty while inputs are only checked
  std::span<const float> weights, logprobs, advantages, clip_low_threshold, clip_high_threshold, sequence_ratio_mask;
};

/// The input of that name; nullptr when no loss has one.
std::span<const float>* find_input(LossInputs& inputs, std::string_view name);

/// What a loss adds up over the sequences of a request.
struct LossSums {
  double loss = 0;
  int64_t tokens = 0;   ///< targets that count: weight or advantage not zero
  int64_t clipped = 0;  ///< of these, those that clipping changed
  int64_t ratios = 0;   ///< targets or sequences that have a ratio
  double smallest_ratio = 0, largest_ratio = 0;

  void add_ratio(double ratio);
};

/// One kind of loss with its settings. All are sums over targets. A derived class is one file of this folder.
class TokenLoss {
 public:
  virtual ~TokenLoss() = default;
  /// Names of inputs that must be there beside the targets, and of those that may be.
  virtual std::vector<std::string_view> required() const = 0;
  virtual std::vector<std::string_view> optional() const { return {}; }
  /// What is wrong with one sequence's inputs, e.g. "advantages[17] is not finite: nan"; empty when nothing is.
  virtual std::string problem(const LossInputs& in) const = 0;
  /// Whether d loss / d log_probs does not depend on log_probs, so that it can be asked for before they are known.
  virtual bool gradient_is_fixed() const { return false; }
  /// Adds one sequence's loss to `sums` and writes d loss / d log_probs into `gradient`.
  virtual void add(const LossInputs& in, LossSums& sums, std::span<float> gradient) const = 0;
};

/// The loss of that name with its settings. Raises ValueError for an unknown name (the list of known ones is said),
/// a setting that the loss does not have, and a value that is not finite or out of range; also for a loss whose formula
/// is not public, naming what to use instead. Example: auto loss = make_loss({"ppo", {{"clip_low_threshold", 0.9}}});
std::unique_ptr<TokenLoss> make_loss(const LossSpec& spec);

/// Names of all losses, in the order of the alphabet.
std::vector<std::string> loss_names();

/// "loss:sum", "tokens:sum" and, where the loss has ratios, "clipped_tokens:sum", "ratio:min", "ratio:max".
std::map<std::string, double> loss_metrics(const LossSums& sums);

}  // namespace hearth::llm
