// Recurrent networks: one product over the whole sequence for the inputs, one per step for the state.
#include "hearth/nn/recurrent.h"

#include <cmath>

#include "hearth/nn/init.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/random.h"
#include "hearth/ops/view.h"

namespace hearth::nn {

Recurrent::Recurrent(int64_t gates, int64_t inputs, int64_t hidden, const RecurrentOptions& options)
    : gates_(gates), inputs_(inputs), hidden_(hidden), options_(options) {
  check<ValueError>(inputs > 0 && hidden > 0 && options.layers > 0,
                    "recurrent: inputs, hidden size and layers must be positive: ", inputs, ", ", hidden, ", ",
                    options.layers);
  check<ValueError>(options.dropout >= 0 && options.dropout <= 1,
                    "recurrent: dropout must be in [0, 1]: ", options.dropout);
  check<ValueError>(options.dropout == 0 || options.layers > 1,
                    "recurrent: dropout acts between layers, but there is only one: ", options.dropout);
  const int64_t directions = options.bidirectional ? 2 : 1;
  const double bound = 1 / std::sqrt(double(hidden));
  for (int64_t layer = 0; layer < options.layers; ++layer)
    for (int64_t direction = 0; direction < directions; ++direction) {
      Weights& w = weights_.emplace_back();
      const std::string suffix = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      const auto make = [&](const char* name, Tensor& slot, const Shape& shape) {
        slot = new_parameter(shape);
        add_parameter(name + suffix, slot);
        init::uniform_(slot, -bound, bound);
      };
      make("weight_ih", w.input, {gates * hidden, layer == 0 ? inputs : directions * hidden});
      make("weight_hh", w.hidden, {gates * hidden, hidden});
      if (!options.bias) continue;
      make("bias_ih", w.input_bias, {gates * hidden});
      make("bias_hh", w.hidden_bias, {gates * hidden});
    }
}

TensorList Recurrent::gates(const Tensor& stacked) const { return chunk(stacked, gates_, -1); }

Recurrent::State Recurrent::first_state(const Tensor& hidden, const Tensor& cell, int64_t batch, bool batched,
                                        Dtype dtype) const {
  const Shape shape{int64_t(weights_.size()), batch, hidden_};
  const auto given = [&](const char* what, const Tensor& x) {
    if (!x.defined()) return zeros(shape, dtype);
    const Tensor y = batched ? x : unsqueeze(x, 1);
    check<ShapeError>(y.shape() == shape, "recurrent: initial ", what, " is ", x.shape(), ", expected ", shape);
    return y;
  };
  check<ValueError>(!cell.defined() || has_cell(), "recurrent: only an LSTM has a cell state");
  return {given("hidden state", hidden), has_cell() ? given("cell state", cell) : Tensor()};
}

Recurrent::State Recurrent::run(const Tensor& x, const Weights& w, State state, bool backwards,
                                TensorList& outputs) const {
  const int64_t steps = x.size(0);
  const Tensor from_inputs = linear(x, w.input, w.input_bias);
  outputs.resize(size_t(steps));
  for (int64_t k = 0; k < steps; ++k) {
    const int64_t t = backwards ? steps - 1 - k : k;
    state = next(select(from_inputs, 0, t), linear(state.hidden, w.hidden, w.hidden_bias), state);
    outputs[size_t(t)] = state.hidden;
  }
  return state;
}

Sequence Recurrent::operator()(const Tensor& input, const Tensor& hidden, const Tensor& cell) const {
  const bool batched = input.dim() == 3;
  check<ShapeError>((batched || input.dim() == 2) && input.size(-1) == inputs_, "recurrent: input ", input.shape(),
                    " for ", inputs_, " inputs");
  Tensor x = !batched ? unsqueeze(input, 1) : options_.batch_first ? transpose(input, 0, 1) : input;
  check<ShapeError>(x.size(0) > 0, "recurrent: the sequence is empty: ", input.shape());
  const State first = first_state(hidden, cell, x.size(1), batched, x.dtype());
  const size_t directions = options_.bidirectional ? 2 : 1;
  TensorList hiddens, cells;
  for (size_t i = 0; i < weights_.size(); i += directions) {
    if (i > 0) x = dropout(x, options_.dropout, is_training());
    TensorList both;
    for (size_t d = 0; d < directions; ++d) {
      const State start{select(first.hidden, 0, int64_t(i + d)),
                        has_cell() ? select(first.cell, 0, int64_t(i + d)) : Tensor()};
      TensorList outputs;
      const State last = run(x, weights_[i + d], start, d == 1, outputs);
      both.push_back(stack(outputs));
      hiddens.push_back(last.hidden);
      if (has_cell()) cells.push_back(last.cell);
    }
    x = directions == 1 ? both[0] : cat(both, -1);
  }
  const auto shaped = [&](const Tensor& y) { return batched ? y : squeeze(y, 1); };
  const Tensor output = batched && options_.batch_first ? transpose(x, 0, 1) : shaped(x);
  return {output, shaped(stack(hiddens)), has_cell() ? shaped(stack(cells)) : Tensor()};
}

Recurrent::State RNN::next(const Tensor& from_input, const Tensor& from_hidden, const State&) const {
  const Tensor sum = add(from_input, from_hidden);
  return {function_ == Function::tanh ? tanh(sum) : relu(sum), {}};
}

Recurrent::State LSTM::next(const Tensor& from_input, const Tensor& from_hidden, const State& last) const {
  const TensorList g = gates(add(from_input, from_hidden));
  const Tensor cell = add(mul(sigmoid(g[1]), last.cell), mul(sigmoid(g[0]), tanh(g[2])));
  return {mul(sigmoid(g[3]), tanh(cell)), cell};
}

Recurrent::State GRU::next(const Tensor& from_input, const Tensor& from_hidden, const State& last) const {
  const TensorList x = gates(from_input), h = gates(from_hidden);
  const Tensor reset = sigmoid(add(x[0], h[0])), update = sigmoid(add(x[1], h[1]));
  const Tensor fresh = tanh(add(x[2], mul(reset, h[2])));
  return {add(fresh, mul(sub(last.hidden, fresh), update)), {}};
}

}  // namespace hearth::nn
