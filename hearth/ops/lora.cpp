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

/// Gradients of {x, bias, a, b, a, b, ...} in plain ops, for higher derivatives.
Grads composed_backward(const Tensor& dy, const PackedLinear& weight, const Tensor& x, const LoraSegments& segments) {
  Grads low = composed_low_rank_backward(segments, x, dy);
  Grads grads = {add(matmul(dy, to(weight.weight(), Dtype::float32)), low[0]), sum(dy, {0})};
  grads.insert(grads.end(), low.begin() + 1, low.end());
  return grads;
}

Grads fused_backward(const GradContext& c, const PackedLinear& weight, const Tensor& x, const LoraSegments& segments,
                     const Tensor& h) {
  const Tensor dy = contiguous(c.dy());
  const LowRank paths("lora_linear", segments, weight.weight().shape(), x.size(0));
  std::vector<bool> want_a, want_b;
  bool want_dh = c.needs(0);
  for (size_t i = 0; i < segments.size(); ++i) {
    want_a.push_back(c.needs(int(2 + 2 * i)));
    want_b.push_back(c.needs(int(3 + 2 * i)));
    want_dh = want_dh || want_a.back();
  }
  const Tensor dh = want_dh ? paths.new_h() : Tensor();
  if (want_dh) paths.up_backward(dh, dy);
  Grads grads(2);
  if (c.needs(0)) {
    grads[0] = Tensor::empty(x.shape());
    weight.backward(grads[0], dy);
    paths.down_backward(grads[0], dh);
  }
  if (c.needs(1)) grads[1] = sum(dy, {0});
  TensorList da = want_dh ? paths.a_gradients(dh, x, want_a) : TensorList(segments.size());
  TensorList db = paths.new_b_sums(want_b);
  paths.add_b_gradients(db, h, dy);
  LowRank::finish_b_gradients(db);
  for (size_t i = 0; i < segments.size(); ++i) {
    grads.push_back(std::move(da[i]));
    grads.push_back(std::move(db[i]));
  }
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
                  const Tensor input = x.get(c);
                  const LoraSegments paths = saved.get(c);
                  return grad_enabled() ? composed_backward(c.dy(), weight, input, paths)
                                        : fused_backward(c, weight, input, paths, h);
                });
}

}  // namespace hearth
