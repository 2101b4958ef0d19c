// Losses by name, and the metrics that all of them give.
#include "llm/loss/token_loss.h"

#include <algorithm>

#include "hearth/core/error.h"
#include "llm/loss/cispo.h"
#include "llm/loss/cross_entropy.h"
#include "llm/loss/dro.h"
#include "llm/loss/gspo.h"
#include "llm/loss/importance_sampling.h"
#include "llm/loss/ppo.h"

namespace hearth::llm {

namespace {

using Make = std::unique_ptr<TokenLoss> (*)(const LossSpec&);

template <class Loss>
std::unique_ptr<TokenLoss> make(const LossSpec& spec) {
  return std::make_unique<Loss>(spec);
}

const std::map<std::string, Make, std::less<>>& losses() {
  static const std::map<std::string, Make, std::less<>> all = {
      {"cispo", make<CispoLoss>}, {"cross_entropy", make<CrossEntropyLoss>},
      {"dro", make<DroLoss>},     {"importance_sampling", make<ImportanceSamplingLoss>},
      {"gspo", make<GspoLoss>},   {"ppo", make<PpoLoss>},
  };
  return all;
}

}  // namespace

std::unique_ptr<TokenLoss> make_loss(const LossSpec& spec) {
  check<ValueError>(spec.name != "stable_reinforce",
                    "loss: the formula of stable_reinforce is not public; use importance_sampling instead");
  const auto at = losses().find(spec.name);
  if (at != losses().end()) return at->second(spec);
  std::string known;
  for (const std::string& name : loss_names()) known += (known.empty() ? "" : ", ") + name;
  fail<ValueError>("loss: unknown: '", spec.name, "'; known are ", known);
}

std::vector<std::string> loss_names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : losses()) names.push_back(name);
  return names;
}

std::span<const float>* find_input(LossInputs& inputs, std::string_view name) {
  if (name == "weights") return &inputs.weights;
  if (name == "logprobs") return &inputs.logprobs;
  if (name == "advantages") return &inputs.advantages;
  if (name == "clip_low_threshold") return &inputs.clip_low_threshold;
  if (name == "clip_high_threshold") return &inputs.clip_high_threshold;
  if (name == "sequence_ratio_mask") return &inputs.sequence_ratio_mask;
  return nullptr;
}

void LossSums::add_ratio(double ratio) {
  smallest_ratio = ratios == 0 ? ratio : std::min(smallest_ratio, ratio);
  largest_ratio = ratios == 0 ? ratio : std::max(largest_ratio, ratio);
  ++ratios;
}

std::map<std::string, double> loss_metrics(const LossSums& sums) {
  std::map<std::string, double> out = {{"loss:sum", sums.loss}, {"tokens:sum", double(sums.tokens)}};
  if (sums.ratios > 0) {
    out["clipped_tokens:sum"] = double(sums.clipped);
    out["ratio:min"] = sums.smallest_ratio;
    out["ratio:max"] = sums.largest_ratio;
  }
  return out;
}

}  // namespace hearth::llm
