// Recurrent networks: plain, LSTM and GRU, composed step by step.
#pragma once

#include <deque>

#include "hearth/nn/module.h"

namespace hearth::nn {

struct RecurrentOptions {
  int64_t layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;  ///< between layers, in training
  bool bidirectional = false;
};

/// `output` [L, N, directions * hidden] (as the input is laid out); `hidden` and, of an LSTM, `cell`
/// [layers * directions, N, hidden] after the last step.
struct Sequence {
  Tensor output, hidden, cell;
};

/// The base of RNN, LSTM and GRU. Input [L, N, inputs], with batch_first [N, L, inputs], or [L, inputs]. Parameters are
/// named as in PyTorch ("weight_ih_l0", "weight_hh_l0_reverse", ...) and start uniform within 1 / sqrt(hidden). Initial
/// states are zero where undefined. Raises ShapeError, ValueError.
class Recurrent : public Module {
 public:
  Sequence operator()(const Tensor& x, const Tensor& hidden = {}, const Tensor& cell = {}) const;

 protected:
  Recurrent(int64_t gates, int64_t inputs, int64_t hidden, const RecurrentOptions& options);
  struct State {
    Tensor hidden, cell;
  };
  /// The next state from `from_input` (W_ih x + b_ih) and the last state, whose product with W_hh is `from_hidden`.
  virtual State next(const Tensor& from_input, const Tensor& from_hidden, const State& last) const = 0;
  virtual bool has_cell() const { return false; }
  /// The parts of a stack of gates.
  TensorList gates(const Tensor& stacked) const;

 private:
  struct Weights {
    Tensor input, hidden, input_bias, hidden_bias;
  };
  State run(const Tensor& x, const Weights& w, State state, bool backwards, TensorList& outputs) const;
  State first_state(const Tensor& hidden, const Tensor& cell, int64_t batch, bool batched, Dtype dtype) const;

  int64_t gates_, inputs_, hidden_;
  RecurrentOptions options_;
  std::deque<Weights> weights_;  ///< by layer, then direction
};

/// h = tanh(W_ih x + b_ih + W_hh h + b_hh). Example: nn::RNN rnn(8, 16); auto [y, h, c] = rnn(x);
class RNN : public Recurrent {
 public:
  enum class Function : uint8_t { tanh, relu };
  RNN(int64_t inputs, int64_t hidden, const RecurrentOptions& options = {}, Function function = Function::tanh)
      : Recurrent(1, inputs, hidden, options), function_(function) {}

 protected:
  State next(const Tensor& from_input, const Tensor& from_hidden, const State& last) const override;

 private:
  Function function_;
};

/// Long short-term memory (Hochreiter and Schmidhuber 1997); gates in the order input, forget, cell, output.
class LSTM : public Recurrent {
 public:
  LSTM(int64_t inputs, int64_t hidden, const RecurrentOptions& options = {}) : Recurrent(4, inputs, hidden, options) {}

 protected:
  State next(const Tensor& from_input, const Tensor& from_hidden, const State& last) const override;
  bool has_cell() const override { return true; }
};

/// Gated recurrent unit (Cho et al. 2014); gates in the order reset, update, new.
class GRU : public Recurrent {
 public:
  GRU(int64_t inputs, int64_t hidden, const RecurrentOptions& options = {}) : Recurrent(3, inputs, hidden, options) {}

 protected:
  State next(const Tensor& from_input, const Tensor& from_hidden, const State& last) const override;
};

}  // namespace hearth::nn
