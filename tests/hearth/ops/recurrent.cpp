// Recurrent layers: the fused path against plain steps, derivatives, packed sequences, stacks, wrong input.
#include "hearth/ops/recurrent.h"

#include <gtest/gtest.h>

#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/recurrent_steps.h"

namespace hearth {
namespace {

using fused_check::expect_close;
using fused_check::random;

constexpr Cell kinds[] = {Cell::tanh, Cell::relu, Cell::lstm, Cell::gru};

/// Rows, hidden, cell, and the four weights of a layer with 3 inputs and 5 hidden.
TensorList arguments(Cell kind, int64_t rows, int64_t batch, Dtype dtype) {
  const int64_t stacked = 5 * (kind == Cell::lstm ? 4 : kind == Cell::gru ? 3 : 1);
  TensorList in{random({rows, 3}, 1, dtype),
                random({batch, 5}, 2, dtype),
                kind == Cell::lstm ? random({batch, 5}, 3, dtype) : Tensor(),
                random({stacked, 3}, 4, dtype),
                random({stacked, 5}, 5, dtype),
                random({stacked}, 6, dtype),
                random({stacked}, 7, dtype)};
  return in;
}

RecurrentResult layer(Cell kind, const TensorList& in, const std::vector<int64_t>& sizes, bool backwards) {
  return recurrent_layer(kind, in[0], sizes, in[1], in[2], {in[3], in[4], in[5], in[6], {}}, backwards);
}

TensorList all(const RecurrentResult& r) {
  return r.cell.defined() ? TensorList{r.output, r.hidden, r.cell} : TensorList{r.output, r.hidden};
}

TEST(Recurrent, FusedAgreesWithPlainSteps) {
  const std::vector<int64_t> sizes{4, 4, 2, 1};
  for (Cell kind : kinds)
    for (bool backwards : {false, true})
      for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const TensorList in = arguments(kind, 11, 4, dtype);
        const RecurrentResult r = layer(kind, in, sizes, backwards);
        const RecurrentTrace t =
            recurrent_steps(kind, in[0], sizes, in[1], in[2], {in[3], in[4], in[5], in[6], {}}, backwards);
        TensorList steps;
        for (const RecurrentStep& s : t.steps) steps.push_back(s.hidden);
        expect_close(r.output, cat(steps, 0), 1e-5, 1e-6);
        expect_close(r.hidden, t.hidden, 1e-5, 1e-6);
        if (kind == Cell::lstm) expect_close(r.cell, t.cell, 1e-5, 1e-6);
      }
}

TEST(Recurrent, Derivatives) {
  for (Cell kind : kinds)
    for (bool backwards : {false, true}) {
      TensorList in = arguments(kind, 6, 3, Dtype::float64), checked;
      for (Tensor& t : in)
        if (t.defined()) checked.push_back(t.set_requires_grad());
      const auto f = [&](const TensorList& x) {
        TensorList full = x;
        if (kind != Cell::lstm) full.insert(full.begin() + 2, Tensor());
        return all(layer(kind, full, {3, 2, 1}, backwards));
      };
      EXPECT_LT(gradcheck(f, checked), 1e-6) << int(kind) << backwards;
      EXPECT_LT(gradgradcheck(f, checked), 1e-5) << int(kind) << backwards;
    }
}

TEST(Recurrent, StacksLayersAndDirections) {
  for (Cell kind : kinds) {
    TensorList in = arguments(kind, 6, 2, Dtype::float32);
    const int64_t stacked = in[3].size(0);
    std::vector<RecurrentWeights> w(2, {in[3], in[4], in[5], in[6], {}});
    for (int i = 0; i < 2; ++i) w.push_back({random({stacked, 10}, 8), in[4], in[5], in[6], {}});
    const auto four = [](const Tensor& x) { return x.defined() ? stack({x, x, x, x}) : x; };
    const RecurrentResult r =
        recurrent({.kind = kind, .bidirectional = true}, in[0], {2, 2, 2}, four(in[1]), four(in[2]), w);
    EXPECT_EQ(r.output.shape(), (Shape{6, 10}));
    EXPECT_EQ(r.hidden.shape(), (Shape{4, 2, 5}));
    EXPECT_EQ(r.cell.defined(), kind == Cell::lstm);
    const RecurrentResult forward = layer(kind, in, {2, 2, 2}, false);
    EXPECT_TRUE(fused_check::same_bits(select(r.hidden, 0, 0), forward.hidden));
  }
}

TEST(Recurrent, ProjectionAndHalfTypes) {
  const TensorList in = arguments(Cell::lstm, 6, 3, Dtype::float32);
  RecurrentWeights w{in[3], random({20, 2}, 9), in[5], in[6], random({2, 5}, 10)};
  const RecurrentResult r = recurrent_layer(Cell::lstm, in[0], {3, 3}, random({3, 2}, 11), in[2], w);
  EXPECT_EQ(r.output.shape(), (Shape{6, 2}));
  EXPECT_EQ(r.cell.shape(), (Shape{3, 5}));
  TensorList half;
  for (const Tensor& t : in) half.push_back(to(t, Dtype::bfloat16));
  const RecurrentResult h = layer(Cell::lstm, half, {3, 3}, false);
  EXPECT_EQ(h.output.dtype(), Dtype::bfloat16);
  expect_close(h.output, layer(Cell::lstm, in, {3, 3}, false).output, 0.05, 0.05);
}

TEST(Recurrent, RefusesWrongInput) {
  const TensorList in = arguments(Cell::gru, 6, 3, Dtype::float32);
  EXPECT_THROW(layer(Cell::gru, in, {3, 2}, false), ShapeError);
  EXPECT_THROW(layer(Cell::gru, in, {2, 3, 1}, false), ValueError);
  EXPECT_THROW(layer(Cell::gru, in, {3, 3, 0}, false), ValueError);
  EXPECT_THROW(layer(Cell::gru, in, {}, false), ShapeError);
  EXPECT_THROW(layer(Cell::lstm, in, {3, 3}, false), ShapeError);
  TensorList wide = in;
  wide[0] = random({6, 4}, 1);
  EXPECT_THROW(layer(Cell::gru, wide, {3, 3}, false), ShapeError);
  wide = in;
  wide[1] = random({3, 5}, 1, Dtype::float64);
  EXPECT_THROW(layer(Cell::gru, wide, {3, 3}, false), DtypeError);
}

}  // namespace
}  // namespace hearth
