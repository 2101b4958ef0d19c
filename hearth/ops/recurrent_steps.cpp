// Recurrent layers step by step in differentiable ops. Sequences that ended keep their rows of the states.
#include "hearth/ops/recurrent_steps.h"

#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Tensor head(const Tensor& x, int64_t rows) { return rows == x.size(0) ? x : narrow(x, 0, 0, rows); }

/// `top` over the remaining rows of x.
Tensor over(const Tensor& top, const Tensor& x) {
  const int64_t rows = top.size(0);
  return rows == x.size(0) ? top : cat({top, narrow(x, 0, rows, x.size(0) - rows)}, 0);
}

void lstm_step(RecurrentStep& step, const Tensor& sums, const Tensor& projection) {
  const TensorList g = chunk(sums, 4, -1);
  step.gates = {sigmoid(g[0]), sigmoid(g[1]), tanh(g[2]), sigmoid(g[3])};
  step.cell = add(mul(step.gates[1], step.last_cell), mul(step.gates[0], step.gates[2]));
  step.hidden = mul(step.gates[3], tanh(step.cell));
  if (projection.defined()) step.hidden = linear(step.hidden, projection);
}

void gru_step(RecurrentStep& step, const Tensor& from_input) {
  const TensorList x = chunk(from_input, 3, -1), h = chunk(step.from_hidden, 3, -1);
  const Tensor reset = sigmoid(add(x[0], h[0])), update = sigmoid(add(x[1], h[1]));
  const Tensor fresh = tanh(add(x[2], mul(reset, h[2])));
  step.gates = {reset, update, fresh};
  step.hidden = add(fresh, mul(sub(step.last_hidden, fresh), update));
}

/// What a step's gradient leaves for the one before it.
struct StepGradient {
  Tensor gates, from_hidden, hidden, cell;
};

Tensor slope(const Tensor& s) { return mul(s, sub(Scalar(1), s)); }
Tensor tanh_slope(const Tensor& t) { return sub(Scalar(1), mul(t, t)); }

StepGradient lstm_step_backward(const RecurrentStep& s, const Tensor& dh, const Tensor& dcell) {
  const Tensor t = tanh(s.cell), dc = add(mul(mul(dh, s.gates[3]), tanh_slope(t)), dcell);
  const Tensor gates = cat({mul(mul(dc, s.gates[2]), slope(s.gates[0])), mul(mul(dc, s.last_cell), slope(s.gates[1])),
                            mul(mul(dc, s.gates[0]), tanh_slope(s.gates[2])), mul(mul(dh, t), slope(s.gates[3]))},
                           -1);
  return {gates, gates, {}, mul(dc, s.gates[1])};
}

StepGradient gru_step_backward(const RecurrentStep& s, const Tensor& dh) {
  const Tensor &reset = s.gates[0], &update = s.gates[1], &fresh = s.gates[2];
  const Tensor dfresh = mul(mul(dh, sub(Scalar(1), update)), tanh_slope(fresh));
  const Tensor dreset = mul(mul(dfresh, chunk(s.from_hidden, 3, -1)[2]), slope(reset));
  const Tensor dupdate = mul(mul(dh, sub(s.last_hidden, fresh)), slope(update));
  return {cat({dreset, dupdate, dfresh}, -1), cat({dreset, dupdate, mul(dfresh, reset)}, -1), mul(dh, update), {}};
}

StepGradient step_backward(Cell kind, const RecurrentStep& s, const Tensor& dh, const Tensor& dcell) {
  if (kind == Cell::lstm) return lstm_step_backward(s, dh, dcell);
  if (kind == Cell::gru) return gru_step_backward(s, dh);
  const Tensor g = mul(dh, kind == Cell::tanh ? tanh_slope(s.hidden) : to(gt(s.hidden, 0), dh.dtype()));
  return {g, g, {}, {}};
}

std::vector<int64_t> starts_of(const std::vector<int64_t>& batch_sizes) {
  std::vector<int64_t> starts{0};
  for (int64_t b : batch_sizes) starts.push_back(starts.back() + b);
  return starts;
}

}  // namespace

RecurrentTrace recurrent_steps(Cell kind, const Tensor& rows, const std::vector<int64_t>& batch_sizes,
                               const Tensor& hidden, const Tensor& cell, const RecurrentWeights& w, bool backwards) {
  const size_t count = batch_sizes.size();
  const std::vector<int64_t> starts = starts_of(batch_sizes);
  const Tensor from_input = linear(rows, w.input, w.input_bias);
  RecurrentTrace trace;
  trace.steps.resize(count);
  trace.hidden = hidden;
  trace.cell = cell;
  for (size_t k = 0; k < count; ++k) {
    const size_t t = backwards ? count - 1 - k : k;
    RecurrentStep& step = trace.steps[t];
    step.last_hidden = head(trace.hidden, batch_sizes[t]);
    if (cell.defined()) step.last_cell = head(trace.cell, batch_sizes[t]);
    step.from_hidden = linear(step.last_hidden, w.hidden, w.hidden_bias);
    const Tensor x = narrow(from_input, 0, starts[t], batch_sizes[t]);
    if (kind == Cell::lstm) {
      lstm_step(step, add(x, step.from_hidden), w.projection);
      trace.cell = over(step.cell, trace.cell);
    } else if (kind == Cell::gru) {
      gru_step(step, x);
    } else {
      const Tensor sums = add(x, step.from_hidden);
      step.hidden = kind == Cell::tanh ? tanh(sums) : relu(sums);
    }
    trace.hidden = over(step.hidden, trace.hidden);
  }
  return trace;
}

Grads recurrent_steps_backward(Cell kind, const RecurrentTrace& trace, const Tensor& rows,
                               const std::vector<int64_t>& batch_sizes, const RecurrentWeights& w, bool backwards,
                               const Tensor& doutput, const Tensor& dhidden, const Tensor& dcell) {
  const size_t count = batch_sizes.size();
  const std::vector<int64_t> starts = starts_of(batch_sizes);
  Tensor dh = dhidden.defined() ? dhidden : zeros_like(trace.hidden.detach());
  Tensor dc = dcell.defined() || kind != Cell::lstm ? dcell : zeros_like(trace.cell.detach());
  TensorList gates(count), from_hidden(count), last(count);
  for (size_t k = count; k-- > 0;) {
    const size_t t = backwards ? count - 1 - k : k;
    const int64_t b = batch_sizes[t];
    const RecurrentStep& step = trace.steps[t];
    Tensor here = head(dh, b);
    if (doutput.defined()) here = add(here, narrow(doutput, 0, starts[t], b));
    StepGradient g = step_backward(kind, step, here, kind == Cell::lstm ? head(dc, b) : Tensor());
    Tensor before = matmul(g.from_hidden, w.hidden);
    if (g.hidden.defined()) before = add(before, g.hidden);
    dh = over(before, dh);
    if (g.cell.defined()) dc = over(g.cell, dc);
    gates[t] = g.gates;
    from_hidden[t] = g.from_hidden;
    last[t] = step.last_hidden;
  }
  const Tensor dgates = cat(gates, 0), dfrom = cat(from_hidden, 0);
  Grads grads{matmul(dgates, w.input), dh, dc, matmul(t(dgates), rows), matmul(t(dfrom), cat(last, 0)), {}, {}};
  if (w.input_bias.defined()) {
    grads[5] = sum(dgates, {0});
    grads[6] = sum(dfrom, {0});
  }
  return grads;
}

}  // namespace hearth
