// Direct preference optimisation (Rafailov et al. 2023).
#pragma once

#include "hearth/core/tensor.h"
#include "hearth/data/packing.h"

namespace hearth::llm {

/// Sum of weight * log p over each sequence of a packed batch: [sequences]; differentiable.
Tensor sequence_log_probs(const Tensor& log_probs, const PackedBatch& batch);

/// -log sigmoid(beta * ((chosen - rejected) - (reference_chosen - reference_rejected))) of each pair: [pairs].
/// All arguments [pairs]. Raises ShapeError.
Tensor dpo_losses(const Tensor& chosen, const Tensor& rejected, const Tensor& reference_chosen,
                  const Tensor& reference_rejected, double beta);

}  // namespace hearth::llm
