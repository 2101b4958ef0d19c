// Cross-entropy with per-token weights.
#include "llm/loss/cross_entropy.h"

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"

namespace hearth::llm {

Tensor cross_entropy(const Tensor& log_probs, const std::vector<float>& weights) {
  check<ShapeError>(log_probs.numel() == int64_t(weights.size()), "cross_entropy: ", log_probs.numel(),
                    " log-probabilities but ", weights.size(), " weights");
  double total = 0;
  for (float w : weights) total += w;
  check<ValueError>(total > 0, "cross_entropy: the weights add up to nothing: ", total);
  std::vector<float> scaled(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) scaled[i] = float(-double(weights[i]) / total);
  return sum(mul(log_probs, from_values<float>(std::span<const float>(scaled), log_probs.shape())));
}

}  // namespace hearth::llm
