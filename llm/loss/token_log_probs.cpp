// Log-probabilities of a packed batch's targets.
#include "llm/loss/token_log_probs.h"

#include "hearth/ops/create.h"

namespace hearth::llm {

namespace {

Tensor widened(const std::vector<int32_t>& values) {
  const std::vector<int64_t> wide(values.begin(), values.end());
  return from_values<int64_t>(std::span<const int64_t>(wide), {int64_t(wide.size())});
}

}  // namespace

TokenBatch to_token_batch(const PackedBatch& batch) {
  return {widened(batch.tokens), widened(batch.positions), widened(batch.cu_seqlens)};
}

Tensor token_log_probs(const CausalLm& model, const PackedBatch& batch, const LoraAdapter* adapter,
                       const DropoutSeed& dropout) {
  const Tensor hidden = model.hidden(to_token_batch(batch), adapter, nullptr, dropout);
  return model.log_probs(hidden, widened(batch.targets), adapter);
}

Tensor batch_cross_entropy(const CausalLm& model, const PackedBatch& batch, const LoraAdapter* adapter,
                           const DropoutSeed& dropout) {
  const double total = batch.weight_sum();
  check<ValueError>(total > 0, "cross_entropy: the weights of the batch add up to nothing: ", total);
  std::vector<float> weights;
  for (float w : batch.weights) weights.push_back(float(double(w) / total));
  // A prompt's tokens have weight 0: their logits need not be computed.
  std::vector<int32_t> targets = batch.targets;
  for (size_t i = 0; i < targets.size(); ++i)
    if (batch.weights[i] == 0) targets[i] = -100;
  const Tensor hidden = model.hidden(to_token_batch(batch), adapter, nullptr, dropout);
  return model.weighted_loss(hidden, widened(targets),
                             from_values<float>(std::span<const float>(weights), {batch.size()}), adapter);
}

}  // namespace hearth::llm
