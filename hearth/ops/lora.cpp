// The product of a frozen linear layer with low-rank paths beside it, in one node.
#include "hearth/ops/lora.h"

#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/low_rank.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// Neighbours of one path as one; for passes without gradients only, where a product's rows are all that matters.
LoraSegments joined(const LoraSegments& segments) {
  LoraSegments out;
  for (const LoraSegment& s : segments) {
    const bool same = !out.empty() && out.back().end == s.begin && out.back().scale == s.scale &&
                      out.back().a.impl() == s.a.impl() && out.back().b.impl() == s.b.impl();
    if (same)
      out.back().end = s.end;
    else
      out.push_back(s);
  }
  return out;
}

/// Adds the gradients of the paths' a and b to `grads`, whose first two are of the node's own inputs, and their share
/// of the gradient of x to dx, if that is defined.
void fused_low_rank_backward(const GradContext& c, const LowRank& paths, size_t segments, const Tensor& x,
                             const Tensor& h, const Tensor& dy, const Tensor& dx, Grads& grads) {
  std::vector<bool> want_a, want_b;
  bool want_dh = dx.defined();
  for (size_t i = 0; i < segments; ++i) {
    want_a.push_back(c.needs(int(2 + 2 * i)));
    want_b.push_back(c.needs(int(3 + 2 * i)));
    want_dh = want_dh || want_a.back();
  }
  const Tensor dh = want_dh ? paths.new_h() : Tensor();
  if (want_dh) paths.up_backward(dh, dy);
  if (dx.defined()) paths.down_backward(dx, dh);
  TensorList da = want_dh ? paths.a_gradients(dh, x, want_a) : TensorList(segments);
  TensorList db = paths.new_b_sums(want_b);
  paths.add_b_gradients(db, h, dy);
  LowRank::finish_b_gradients(db);
  for (size_t i = 0; i < segments; ++i) {
    grads.push_back(std::move(da[i]));
    grads.push_back(std::move(db[i]));
  }
}

/// Gradients of {x, bias, a, b, a, b, ...}; in plain ops where a graph is being built, for higher derivatives.
Grads linear_backward(const GradContext& c, const PackedLinear& weight, const Tensor& x, const LoraSegments& segments,
                      const Tensor& h) {
  if (grad_enabled()) {
    Grads low = composed_low_rank_backward(segments, x, c.dy());
    Grads grads = {add(matmul(c.dy(), to(weight.weight(), Dtype::float32)), low[0]), sum(c.dy(), {0})};
    grads.insert(grads.end(), low.begin() + 1, low.end());
    return grads;
  }
  const Tensor dy = contiguous(c.dy());
  Grads grads(2);
  if (c.needs(0)) {
    grads[0] = Tensor::empty(x.shape());
    weight.backward(grads[0], dy);
  }
  if (c.needs(1)) grads[1] = sum(dy, {0});
  const LowRank paths("lora_linear", segments, weight.weight().shape(), x.size(0));
  fused_low_rank_backward(c, paths, segments.size(), x, h, dy, grads[0], grads);
  return grads;
}

/// Gradients of {y, x, a, b, a, b, ...}.
Grads add_backward(const GradContext& c, const Tensor& x, const LoraSegments& segments, const Tensor& h) {
  Grads grads = {c.dy()};
  if (grad_enabled()) {
    Grads low = composed_low_rank_backward(segments, x, c.dy());
    grads.insert(grads.end(), low.begin(), low.end());
    return grads;
  }
  const Tensor dy = contiguous(c.dy());
  grads.push_back(c.needs(1) ? zeros(x.shape()) : Tensor());
  const LowRank paths("lora_add", segments, {dy.size(1), x.size(1)}, x.size(0));
  fused_low_rank_backward(c, paths, segments.size(), x, h, dy, grads[1], grads);
  return grads;
}

}  // namespace

Tensor lora_linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias, const Tensor& a, const Tensor& b,
                   double scale) {
  return lora_linear(x, weight, bias, {{a, b, scale, 0, x.dim() > 0 ? x.size(0) : 0}});
}

Tensor lora_linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias, const LoraSegments& segments) {
  const Shape& w = weight.weight().shape();
  check<DtypeError>(x.dtype() == Dtype::float32, "lora_linear: x must be float32: ", x.dtype());
  check<ShapeError>(x.dim() == 2 && x.size(1) == w[1], "lora_linear: input ", x.shape(), " does not fit weight ", w);
  const Tensor wide_bias = bias.defined() ? to(bias, Dtype::float32) : bias;
  const bool train = needs_grad(x, wide_bias) || needs_grad(segments);
  const LowRank paths("lora_linear", train ? segments : joined(segments), w, x.size(0));
  const Tensor y = Tensor::empty({x.size(0), w[0]});
  Tensor h;
  {
    NoGrad guard;
    weight.forward(y, x, wide_bias);
    h = paths.down(x);
    paths.up(y, h);
  }
  if (!train) return y;
  return record("lora_linear", y, with_segments({x, wide_bias}, segments),
                [x = save(x), saved = SavedSegments(segments), h, weight](const GradContext& c) -> Grads {
                  return linear_backward(c, weight, x.get(c), saved.get(c), h);
                });
}

Tensor lora_add(const Tensor& y, const Tensor& x, const LoraSegments& segments) {
  check<DtypeError>(x.dtype() == Dtype::float32 && y.dtype() == Dtype::float32,
                    "lora_add: y and x must be float32: ", y.dtype(), ", ", x.dtype());
  check<ShapeError>(y.dim() == 2 && x.dim() == 2 && x.size(0) == y.size(0),
                    "lora_add: y must be [n, out], x [n, in]: ", y.shape(), " and ", x.shape());
  const LowRank paths("lora_add", segments, {y.size(1), x.size(1)}, x.size(0));
  Tensor sum, h;
  {
    NoGrad guard;
    sum = clone(contiguous(y));
    h = paths.down(x);
    paths.up(sum, h);
  }
  if (!needs_grad(y, x) && !needs_grad(segments)) return sum;
  return record("lora_add", sum, with_segments({y, x}, segments),
                [x = save(x), saved = SavedSegments(segments), h](const GradContext& c) -> Grads {
                  return add_backward(c, x.get(c), saved.get(c), h);
                });
}

}  // namespace hearth
