// Recurrent networks against PyTorch's values.
#include "hearth/nn/recurrent.h"

#include "hearth/nn/frozen_layer.h"

namespace hearth {
namespace {

TensorList run(nn::Recurrent& m, const TensorList& x) {
  const nn::Sequence s = m(x[0], x.size() > 1 ? x[1] : Tensor(), x.size() > 2 ? x[2] : Tensor());
  return s.cell.defined() ? TensorList{s.output, s.hidden, s.cell} : TensorList{s.output, s.hidden};
}

TEST(Rnn, AgreesWithPyTorch) {
  nn::RNN two(3, 4, {.layers = 2, .bidirectional = true}, nn::RNN::Function::relu), one(3, 4);
  nn_test::check_module("rnn", two, run);
  nn_test::check_module("rnn.unbatched", one, run);
}

TEST(Lstm, AgreesWithPyTorch) {
  nn::LSTM lstm(3, 4, {.layers = 2, .batch_first = true, .bidirectional = true});
  nn_test::check_module("lstm", lstm, run);
}

TEST(Gru, AgreesWithPyTorch) {
  nn::GRU gru(3, 4, {.layers = 2, .bias = false});
  nn_test::check_module("gru", gru, run);
}

TEST(Recurrent, RefusesWhatDoesNotFit) {
  EXPECT_THROW(nn::GRU(3, 4, {.dropout = 0.5}), ValueError);
  EXPECT_THROW(nn::GRU(3, 0), ValueError);
  nn::GRU gru(3, 4);
  EXPECT_THROW(gru(zeros({5, 2, 4})), ShapeError);
  EXPECT_THROW(gru(zeros({0, 2, 3})), ShapeError);
  EXPECT_THROW(gru(zeros({5, 2, 3}), zeros({1, 3, 4})), ShapeError);
  EXPECT_THROW(gru(zeros({5, 2, 3}), zeros({1, 2, 4}), zeros({1, 2, 4})), ValueError);
}

}  // namespace
}  // namespace hearth
