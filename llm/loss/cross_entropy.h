// Cross-entropy with per-token weights.
#pragma once

#include <vector>

#include "hearth/core/tensor.h"

namespace hearth::llm {

/// -sum(weight * log p) / sum(weight), a scalar. Shapes: log_probs [n], weights n numbers. Raises ShapeError,
/// ValueError when the weights add up to nothing.
Tensor cross_entropy(const Tensor& log_probs, const std::vector<float>& weights);

}  // namespace hearth::llm
