// Recurrent layers: one product for all inputs, one a step for the state, a fused cell; three products go back.
#include "hearth/ops/recurrent.h"

#include "hearth/backend/kernels/matmul.h"
#include "hearth/backend/kernels/recurrent.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/random.h"
#include "hearth/ops/recurrent_steps.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

int64_t gates_of(Cell kind) { return kind == Cell::lstm ? 4 : kind == Cell::gru ? 3 : 1; }

/// Rows [start, start + count) of a contiguous matrix.
Tensor rows_at(const Tensor& x, int64_t start, int64_t count) {
  return x.alias({count, x.size(1)}, {x.size(1), 1}, x.offset() + start * x.size(1));
}

/// A matrix that many steps multiply with: packed once where the backend can.
class StepProduct {
 public:
  /// y = x W^T (forward) or y = x W.
  StepProduct(const Tensor& weight, kernels::PackUse use)
      : weight_(use == kernels::PackUse::forward ? weight.alias({weight.size(1), weight.size(0)},
                                                                {weight.stride(1), weight.stride(0)}, weight.offset())
                                                 : weight.detach()) {
    if (weight.dtype() == Dtype::float32)
      packed_ = kernels::pack(weight.device(), weight.detach(), use, weight.dtype());
  }
  void operator()(const Tensor& y, const Tensor& x, bool accumulate) const {
    if (packed_) return kernels::matmul_packed(y.device(), y, x, *packed_, Tensor(), accumulate);
    const auto batch = [](const Tensor& m) {
      return m.alias({1, m.size(0), m.size(1)}, {m.numel(), m.stride(0), m.stride(1)}, m.offset());
    };
    kernels::matmul(y.device(), batch(y), batch(x), batch(weight_), accumulate);
  }

 private:
  Tensor weight_;
  Ref<kernels::PackedWeight> packed_;
};

/// A layer's arguments, and what its forward keeps: one row for each input row.
struct Layer {
  Cell kind;
  bool backwards;
  std::vector<int64_t> sizes;
  Tensor gates, last_hidden, last_cell, cell, from_hidden;

  /// Calls f(start, count) for each step in the order of computation, or against it.
  template <class F>
  void each_step(bool reversed, F f) const {
    std::vector<int64_t> starts{0};
    for (int64_t b : sizes) starts.push_back(starts.back() + b);
    const size_t n = sizes.size();
    for (size_t k = 0; k < n; ++k) {
      const size_t t = backwards != reversed ? n - 1 - k : k;
      f(starts[t], sizes[t]);
    }
  }
};

/// Runs the steps and returns their outputs; h and c are overwritten by the last states.
Tensor run(Layer& layer, const Tensor& x, const RecurrentWeights& w, const Tensor& h, const Tensor& c) {
  const int64_t rows = x.size(0), width = h.size(1);
  const bool is_gru = layer.kind == Cell::gru;
  // The sum of both biases is added once where the cell adds both parts anyway.
  const Tensor bias = !w.input_bias.defined() || is_gru ? w.input_bias : add(w.input_bias, w.hidden_bias);
  layer.gates = contiguous(linear(x, w.input, bias));
  layer.last_hidden = Tensor::empty({rows, width}, x.dtype(), x.device());
  const Tensor output = empty_like(layer.last_hidden);
  if (layer.kind == Cell::lstm) {
    layer.last_cell = empty_like(layer.last_hidden);
    layer.cell = empty_like(layer.last_hidden);
  }
  if (is_gru) {
    layer.from_hidden = empty_like(layer.gates);
    if (w.hidden_bias.defined()) copy_(layer.from_hidden, w.hidden_bias);
  }
  const StepProduct product(w.hidden, kernels::PackUse::forward);
  layer.each_step(false, [&](int64_t start, int64_t count) {
    const Tensor last = rows_at(layer.last_hidden, start, count), gates = rows_at(layer.gates, start, count),
                 now = rows_at(h, 0, count), out = rows_at(output, start, count);
    copy_(last, now);
    if (is_gru) {
      const Tensor from = rows_at(layer.from_hidden, start, count);
      product(from, last, w.hidden_bias.defined());
      kernels::gru_cell(x.device(), gates, from, last, out);
    } else {
      product(gates, last, true);
      if (layer.kind == Cell::lstm) {
        const Tensor before = rows_at(layer.last_cell, start, count), cell = rows_at(layer.cell, start, count);
        copy_(before, rows_at(c, 0, count));
        kernels::lstm_cell(x.device(), gates, before, cell, out);
        copy_(rows_at(c, 0, count), cell);
      } else {
        copy_(gates, layer.kind == Cell::tanh ? tanh(gates) : relu(gates));
        copy_(out, gates);
      }
    }
    copy_(now, out);
  });
  return output;
}

/// Gradients of the gates for all rows; dh and dc are overwritten by those of the first states.
struct GateGradients {
  Tensor input, hidden;
};
GateGradients run_back(const Layer& layer, const Tensor& weight, const Tensor& doutput, const Tensor& dh,
                       const Tensor& dc) {
  const StepProduct product(weight, kernels::PackUse::backward);
  const Tensor dgates = empty_like(layer.gates), dfrom = layer.kind == Cell::gru ? empty_like(dgates) : dgates;
  layer.each_step(true, [&](int64_t start, int64_t count) {
    const Tensor here = rows_at(dh, 0, count), gates = rows_at(layer.gates, start, count),
                 d = rows_at(dgates, start, count);
    if (doutput.defined()) add_(here, rows_at(doutput, start, count));
    if (layer.kind == Cell::lstm) {
      kernels::lstm_cell_backward(dh.device(), d, rows_at(dc, 0, count), here, gates,
                                  rows_at(layer.last_cell, start, count), rows_at(layer.cell, start, count));
    } else if (layer.kind == Cell::gru) {
      kernels::gru_cell_backward(dh.device(), d, rows_at(dfrom, start, count), here, gates,
                                 rows_at(layer.from_hidden, start, count), rows_at(layer.last_hidden, start, count));
    } else {
      const Tensor slope = layer.kind == Cell::tanh ? sub(Scalar(1), mul(gates, gates)) : to(gt(gates, 0), dh.dtype());
      copy_(d, mul(here, slope));
    }
    product(here, rows_at(dfrom, start, count), layer.kind == Cell::gru);
  });
  return {dgates, dfrom};
}

void check_arguments(Cell kind, const Tensor& x, const std::vector<int64_t>& sizes, const Tensor& h, const Tensor& c,
                     const RecurrentWeights& w) {
  check<ShapeError>(x.dim() == 2 && !sizes.empty(), "recurrent: needs rows [R, inputs]: ", x.shape());
  int64_t total = 0, last = sizes[0];
  for (int64_t b : sizes) {
    check<ValueError>(b > 0 && b <= last, "recurrent: batch sizes must be positive and not rise: ", b, " after ", last);
    total += last = b;
  }
  check<ShapeError>(total == x.size(0), "recurrent: batch sizes add up to ", total, ", rows: ", x.size(0));
  check<ShapeError>(w.input.dim() == 2 && w.hidden.dim() == 2, "recurrent: weights must be matrices");
  const int64_t stacked = w.input.size(0), width = stacked / gates_of(kind);
  const int64_t out = w.projection.defined() ? w.projection.size(0) : width;
  check<ShapeError>(
      stacked % gates_of(kind) == 0 && w.hidden.shape() == Shape({stacked, out}) && w.input.size(1) == x.size(1),
      "recurrent: weights ", w.input.shape(), " and ", w.hidden.shape(), " do not fit rows ", x.shape());
  check<ShapeError>(h.dim() == 2 && h.shape() == Shape({sizes[0], out}), "recurrent: hidden state is ", h.shape(),
                    ", expected ", Shape{sizes[0], out});
  check<ValueError>((kind == Cell::lstm) == c.defined() && (kind == Cell::lstm || !w.projection.defined()),
                    "recurrent: a cell state and a projection belong to an LSTM");
  check<ShapeError>(!c.defined() || c.shape() == Shape({sizes[0], width}), "recurrent: wrong cell state");
  check<ValueError>(w.input_bias.defined() == w.hidden_bias.defined(), "recurrent: needs both biases or none");
  for (const Tensor* t : {&h, &c, &w.input, &w.hidden, &w.input_bias, &w.hidden_bias, &w.projection})
    check<DtypeError>(!t->defined() || t->dtype() == x.dtype(), "recurrent: dtypes differ: ", x.dtype());
  for (const Tensor* t : {&w.input_bias, &w.hidden_bias})
    check<ShapeError>(!t->defined() || t->shape() == Shape({stacked}), "recurrent: biases must have ", stacked);
}

RecurrentResult composed(Cell kind, const Tensor& x, const std::vector<int64_t>& sizes, const Tensor& h,
                         const Tensor& c, const RecurrentWeights& w, bool backwards) {
  const RecurrentTrace trace = recurrent_steps(kind, x, sizes, h, c, w, backwards);
  TensorList outputs;
  for (const RecurrentStep& step : trace.steps) outputs.push_back(step.hidden);
  return {cat(outputs, 0), trace.hidden, trace.cell};
}

Tensor copy_or_zeros(const Tensor& x, const Tensor& like) {
  return x.defined() ? clone(x) : zeros(like.shape(), like.dtype(), like.device());
}

RecurrentResult fused(Cell kind, const Tensor& x, const std::vector<int64_t>& sizes, const Tensor& h, const Tensor& c,
                      const RecurrentWeights& w, bool backwards) {
  Layer layer{kind, backwards, sizes, {}, {}, {}, {}, {}};
  RecurrentResult r;
  {
    NoGrad guard;
    r.hidden = clone(h.detach());
    if (c.defined()) r.cell = clone(c.detach());
    r.output = run(layer, contiguous(x.detach()), w, r.hidden, r.cell);
  }
  const TensorList inputs{x, h, c, w.input, w.hidden, w.input_bias, w.hidden_bias};
  if (!needs_grad(inputs)) return r;
  TensorList outputs{r.output, r.hidden};
  if (c.defined()) outputs.push_back(r.cell);
  std::vector<Saved> saved;
  for (const Tensor& t : inputs) saved.push_back(t.defined() ? save(t) : Saved());
  record_many("recurrent", outputs, inputs, [layer, saved](const GradContext& g) -> Grads {
    TensorList in;
    for (const Saved& s : saved) in.push_back(s.defined() ? s.get(g) : Tensor());
    const RecurrentWeights w{in[3], in[4], in[5], in[6], {}};
    const Tensor dcell = g.dys.size() > 2 ? g.dys[2] : Tensor();
    if (grad_enabled()) {
      const RecurrentTrace trace = recurrent_steps(layer.kind, in[0], layer.sizes, in[1], in[2], w, layer.backwards);
      return recurrent_steps_backward(layer.kind, trace, in[0], layer.sizes, w, layer.backwards, g.dys[0], g.dys[1],
                                      dcell);
    }
    const Tensor dh = copy_or_zeros(g.dys[1], in[1]), dc = in[2].defined() ? copy_or_zeros(dcell, in[2]) : Tensor();
    const GateGradients d = run_back(layer, in[4], g.dys[0].defined() ? contiguous(g.dys[0]) : Tensor(), dh, dc);
    Grads grads(7);
    if (g.needs(0)) grads[0] = matmul(d.input, in[3]);
    grads[1] = dh;
    grads[2] = dc;
    if (g.needs(3)) grads[3] = matmul(t(d.input), in[0]);
    if (g.needs(4)) grads[4] = matmul(t(d.hidden), layer.last_hidden);
    if (in[5].defined()) grads[5] = sum(d.input, {0});
    if (in[6].defined()) grads[6] = layer.kind == Cell::gru ? sum(d.hidden, {0}) : clone(grads[5]);
    return grads;
  });
  return r;
}

}  // namespace

RecurrentResult recurrent_layer(Cell kind, const Tensor& rows, const std::vector<int64_t>& batch_sizes,
                                const Tensor& hidden, const Tensor& cell, const RecurrentWeights& w, bool backwards) {
  check_arguments(kind, rows, batch_sizes, hidden, cell, w);
  const Dtype dtype = rows.dtype();
  if (dtype == Dtype::float32 || dtype == Dtype::float64)
    return w.projection.defined() ? composed(kind, rows, batch_sizes, hidden, cell, w, backwards)
                                  : fused(kind, rows, batch_sizes, hidden, cell, w, backwards);
  check<DtypeError>(is_floating(dtype), "recurrent: needs floating tensors: ", dtype);
  const auto wide = [](const Tensor& x) { return x.defined() ? to(x, Dtype::float32) : x; };
  const RecurrentResult r = recurrent_layer(
      kind, wide(rows), batch_sizes, wide(hidden), wide(cell),
      {wide(w.input), wide(w.hidden), wide(w.input_bias), wide(w.hidden_bias), wide(w.projection)}, backwards);
  return {to(r.output, dtype), to(r.hidden, dtype), r.cell.defined() ? to(r.cell, dtype) : Tensor()};
}

RecurrentResult recurrent(const RecurrentStack& stack, const Tensor& rows, const std::vector<int64_t>& batch_sizes,
                          const Tensor& hidden, const Tensor& cell, const std::vector<RecurrentWeights>& weights) {
  const size_t directions = stack.bidirectional ? 2 : 1;
  check<ValueError>(!weights.empty() && weights.size() % directions == 0, "recurrent: needs weights for each of ",
                    directions, " directions: ", weights.size());
  check<ShapeError>(hidden.dim() == 3 && hidden.size(0) == int64_t(weights.size()), "recurrent: hidden state is ",
                    hidden.shape(), " for ", weights.size(), " layers and directions");
  check<ShapeError>(!cell.defined() || (cell.dim() == 3 && cell.size(0) == hidden.size(0)),
                    "recurrent: cell and hidden state differ");
  Tensor x = rows;
  TensorList hiddens, cells;
  for (size_t i = 0; i < weights.size(); i += directions) {
    if (i > 0) x = dropout(x, stack.dropout, stack.training);
    TensorList both;
    for (size_t d = 0; d < directions; ++d) {
      const int64_t at = int64_t(i + d);
      const RecurrentResult r =
          recurrent_layer(stack.kind, x, batch_sizes, contiguous(select(hidden, 0, at)),
                          cell.defined() ? contiguous(select(cell, 0, at)) : Tensor(), weights[i + d], d == 1);
      both.push_back(r.output);
      hiddens.push_back(r.hidden);
      if (r.cell.defined()) cells.push_back(r.cell);
    }
    x = directions == 1 ? both[0] : cat(both, -1);
  }
  return {x, hearth::stack(hiddens), cells.empty() ? Tensor() : hearth::stack(cells)};
}

}  // namespace hearth
