// Recurrent layers step by step in differentiable ops: the slow path, and the derivative of the fast one's gradient.
#pragma once

#include "hearth/core/node.h"
#include "hearth/ops/recurrent.h"

namespace hearth {

/// What one step computed; `gates` are the activated ones in their order.
struct RecurrentStep {
  TensorList gates;
  Tensor last_hidden, last_cell, cell, from_hidden, hidden;
};

/// The steps in time order, and the states after the last one.
struct RecurrentTrace {
  std::vector<RecurrentStep> steps;
  Tensor hidden, cell;
};
RecurrentTrace recurrent_steps(Cell kind, const Tensor& rows, const std::vector<int64_t>& batch_sizes,
                               const Tensor& hidden, const Tensor& cell, const RecurrentWeights& weights,
                               bool backwards);

/// Gradients of rows, hidden, cell and the four weights, from those of the results (undefined: zero).
Grads recurrent_steps_backward(Cell kind, const RecurrentTrace& trace, const Tensor& rows,
                               const std::vector<int64_t>& batch_sizes, const RecurrentWeights& weights, bool backwards,
                               const Tensor& doutput, const Tensor& dhidden, const Tensor& dcell);

}  // namespace hearth
