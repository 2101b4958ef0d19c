// Log-probabilities of a packed batch's targets: what every loss is made from.
#pragma once

#include "hearth/data/packing.h"
#include "llm/models/causal_lm.h"

namespace hearth::llm {

/// The packed tokens of a batch as tensors.
TokenBatch to_token_batch(const PackedBatch& batch);

/// log p(target) of each entry of a packed batch, float32 [entries]; differentiable. A token's number is the same bits
/// in any batch.
Tensor token_log_probs(const CausalLm& model, const PackedBatch& batch, const LoraAdapter* adapter = nullptr,
                       const DropoutSeed& dropout = {});

/// -sum(weight * log p) / sum(weight) over a packed batch. Raises ValueError when the weights add up to nothing.
Tensor batch_cross_entropy(const CausalLm& model, const PackedBatch& batch, const LoraAdapter* adapter = nullptr,
                           const DropoutSeed& dropout = {});

}  // namespace hearth::llm
