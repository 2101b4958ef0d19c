// Recurrent layers over whole sequences: one op a layer and direction, and stacks of them.
#pragma once

#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// tanh, relu: h = f(W_ih x + b_ih + W_hh h + b_hh). lstm: Hochreiter and Schmidhuber 1997, gates in the order input,
/// forget, cell, output. gru: Cho et al. 2014, gates in the order reset, update, new.
enum class Cell : uint8_t { tanh, relu, lstm, gru };

/// Of one layer and direction; G gates (1, 4 or 3), H hidden: input [G H, inputs], hidden [G H, H], biases [G H] or
/// both undefined. projection [P, H] (lstm only) makes the hidden state P wide, hidden is [G H, P] then.
struct RecurrentWeights {
  Tensor input, hidden, input_bias{}, hidden_bias{}, projection{};
};

/// `output` has a row for each input row; `hidden` and, of an lstm, `cell` are the states after the last step.
struct RecurrentResult {
  Tensor output, hidden, cell;
};

/// One layer in one direction. `rows` [R, inputs]: the steps of N sequences one after the other, batch_sizes[t] rows at
/// step t (not rising; the first is N; their sum is R), as in a packed sequence. hidden [N, P or H], cell [N, H].
/// `backwards` starts at the last step. Differentiable, and again. Raises ShapeError, DtypeError, ValueError.
/// Example: RecurrentResult r = recurrent_layer(Cell::gru, x, {3, 3, 2}, h0, {}, {w_ih, w_hh, b_ih, b_hh});
RecurrentResult recurrent_layer(Cell kind, const Tensor& rows, const std::vector<int64_t>& batch_sizes,
                                const Tensor& hidden, const Tensor& cell, const RecurrentWeights& weights,
                                bool backwards = false);

struct RecurrentStack {
  Cell kind = Cell::lstm;
  bool bidirectional = false;
  double dropout = 0;  ///< between layers, in training
  bool training = false;
};

/// Layers on top of each other: weights by layer, then direction; hidden and cell [layers * directions, N, ...],
/// results alike. With two directions outputs lie side by side.
RecurrentResult recurrent(const RecurrentStack& stack, const Tensor& rows, const std::vector<int64_t>& batch_sizes,
                          const Tensor& hidden, const Tensor& cell, const std::vector<RecurrentWeights>& weights);

}  // namespace hearth
