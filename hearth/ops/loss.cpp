// Losses of numbers, probabilities and pairs.
#include "hearth/ops/loss.h"

#include <cmath>
#include <numbers>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/loss_parts.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

using namespace loss_parts;

namespace {

Tensor one_minus(const Tensor& x) { return add(neg(x), 1.0); }

/// x where mask is true, else 0.
Tensor where_true(const Tensor& mask, const Tensor& x) { return masked_fill(x, is(mask, false), 0); }

/// max(x, least).
Tensor at_least(const Tensor& x, double least) {
  const Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::binary(x.device(), kernels::BinaryOp::maximum, y, x.detach(),
                  expand(scalar_tensor(least, x.dtype()), x.shape()));
  if (!needs_grad(x)) return y;
  return record("at_least", y, {x},
                [kept = is(y, least)](const GradContext& c) -> Grads { return {masked_fill(c.dy(), kept, 0)}; });
}

/// quadratic(d) where d < limit, else linear(d).
Tensor split(const Tensor& d, double limit, const Tensor& quadratic, const Tensor& linear) {
  const Tensor below = Tensor::empty(d.shape(), Dtype::boolean, d.device());
  kernels::compare(d.device(), kernels::CompareOp::lt, below, d.detach(),
                   expand(scalar_tensor(limit, d.dtype()), d.shape()));
  return add(where_true(below, quadratic), masked_fill(linear, below, 0));
}

Tensor minus_logarithm(const Tensor& x, kernels::UnaryOp op) {
  const Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::unary(x.device(), op, y, x);
  return neg(at_least(y, -100));
}

/// The per-element loss, with PyTorch's gradient (x - y) / max(x (1 - x), 1e-12).
Tensor binary_terms(const Tensor& x, const Tensor& y) {
  Tensor loss;
  {
    NoGrad guard;
    const Tensor a = contiguous(x);
    loss = add(mul(y, minus_logarithm(a, kernels::UnaryOp::log)),
               mul(one_minus(y), minus_logarithm(neg(a), kernels::UnaryOp::log1p)));
  }
  if (!needs_grad(x, y)) return loss;
  return record("binary_cross_entropy", loss, {x, y}, [x = save(x), y = save(y)](const GradContext& c) -> Grads {
    const Tensor a = x.get(c), b = y.get(c);
    Tensor dx, dy;
    if (c.needs(0)) dx = mul(c.dy(), div(sub(a, b), at_least(mul(one_minus(a), a), 1e-12)));
    if (c.needs(1)) dy = mul(c.dy(), sub(log(one_minus(a)), log(a)));
    return {dx, dy};
  });
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& y, Reduction reduction) {
  check_floating("mse_loss", x, y);
  const Tensor d = sub(x, y);
  return reduced("mse_loss", mul(d, d), reduction);
}

Tensor l1_loss(const Tensor& x, const Tensor& y, Reduction reduction) {
  check_floating("l1_loss", x, y);
  return reduced("l1_loss", magnitude(sub(x, y)), reduction);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& y, Reduction reduction, double beta) {
  check_floating("smooth_l1_loss", x, y);
  check<ValueError>(beta >= 0, "smooth_l1_loss: beta must not be negative: ", beta);
  if (beta == 0) return l1_loss(x, y, reduction);
  const Tensor d = magnitude(sub(x, y));
  return reduced("smooth_l1_loss", split(d, beta, mul(mul(d, d), 0.5 / beta), sub(d, 0.5 * beta)), reduction);
}

Tensor huber_loss(const Tensor& x, const Tensor& y, Reduction reduction, double delta) {
  check_floating("huber_loss", x, y);
  check<ValueError>(delta > 0, "huber_loss: delta must be positive: ", delta);
  const Tensor d = magnitude(sub(x, y));
  return reduced("huber_loss", split(d, delta, mul(mul(d, d), 0.5), mul(sub(d, 0.5 * delta), delta)), reduction);
}

Tensor binary_cross_entropy(const Tensor& x, const Tensor& y, const Tensor& weight, Reduction reduction) {
  check_floating("binary_cross_entropy", x, y);
  check<ShapeError>(x.shape() == y.shape(), "binary_cross_entropy: shapes differ: ", x.shape(), " and ", y.shape());
  for (double v : to_vector<double>(x.detach()))
    check<ValueError>(v >= 0 && v <= 1, "binary_cross_entropy: input must lie between 0 and 1: ", v);
  const Tensor loss = binary_terms(x, to(y, x.dtype()));
  return reduced("binary_cross_entropy", weight.defined() ? mul(loss, weight) : loss, reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& y, const Tensor& weight, Reduction reduction,
                                        const Tensor& pos_weight) {
  check_floating("binary_cross_entropy_with_logits", x, y);
  check<ShapeError>(x.shape() == y.shape(), "binary_cross_entropy_with_logits: shapes differ: ", x.shape(), " and ",
                    y.shape());
  Tensor rest = loss_parts::softplus(neg(x));
  if (pos_weight.defined()) rest = mul(rest, add(mul(sub(pos_weight, 1.0), y), 1.0));
  const Tensor loss = add(mul(one_minus(y), x), rest);
  return reduced("binary_cross_entropy_with_logits", weight.defined() ? mul(loss, weight) : loss, reduction);
}

Tensor kl_div(const Tensor& x, const Tensor& y, Reduction reduction, bool log_target) {
  check_floating("kl_div", x, y);
  Tensor loss;
  if (log_target)
    loss = mul(exp(y), sub(y, x));
  else
    loss = sub(mul(y, log(masked_fill(y, is(y, 0), 1))), mul(y, x));
  if (reduction != Reduction::batchmean) return reduced("kl_div", loss, reduction);
  check<ShapeError>(x.dim() >= 1, "kl_div: batchmean needs a batch dimension");
  return div(sum(loss), double(x.size(0)));
}

Tensor poisson_nll_loss(const Tensor& x, const Tensor& y, bool log_input, bool full, double eps, Reduction reduction) {
  check_floating("poisson_nll_loss", x, y);
  Tensor loss = log_input ? sub(exp(x), mul(y, x)) : sub(x, mul(y, log(add(x, eps))));
  if (full) {
    const Tensor large = Tensor::empty(y.shape(), Dtype::boolean, y.device());
    kernels::compare(y.device(), kernels::CompareOp::gt, large, y.detach(),
                     expand(scalar_tensor(1, y.dtype()), y.shape()));
    const Tensor safe = masked_fill(y, is(large, false), 1);
    const Tensor stirling = add(sub(mul(safe, log(safe)), safe), mul(log(mul(safe, 2 * std::numbers::pi)), 0.5));
    loss = add(loss, where_true(large, stirling));
  }
  return reduced("poisson_nll_loss", loss, reduction);
}

Tensor gaussian_nll_loss(const Tensor& x, const Tensor& y, const Tensor& var, bool full, double eps,
                         Reduction reduction) {
  check_floating("gaussian_nll_loss", x, y);
  check_floating("gaussian_nll_loss", x, var);
  check<ValueError>(eps > 0, "gaussian_nll_loss: eps must be positive: ", eps);
  for (double v : to_vector<double>(var.detach()))
    check<ValueError>(!(v < 0), "gaussian_nll_loss: variance must not be negative: ", v);
  Tensor v = var;
  if (v.dim() + 1 == x.dim() && v.shape() == Shape(std::span<const int64_t>(x.shape().data(), size_t(v.dim()))))
    v = unsqueeze(v, -1);
  check<ShapeError>(broadcast_shapes("gaussian_nll_loss", v.shape(), x.shape()) == x.shape(),
                    "gaussian_nll_loss: variance ", var.shape(), " does not fit input ", x.shape());
  // The floor moves the value only: the gradient passes as if it were not there, as in PyTorch.
  const Tensor lift = sub(at_least(v.detach(), eps), v.detach());
  v = add(v, lift);
  const Tensor d = sub(x, y);
  Tensor loss = mul(add(log(v), div(mul(d, d), v)), 0.5);
  if (full) loss = add(loss, 0.5 * std::log(2 * std::numbers::pi));
  return reduced("gaussian_nll_loss", loss, reduction);
}

Tensor hinge_embedding_loss(const Tensor& x, const Tensor& y, double margin, Reduction reduction) {
  check<DtypeError>(is_floating(x.dtype()), "hinge_embedding_loss: needs a floating tensor: ", x.dtype());
  const Shape shape = broadcast_shapes("hinge_embedding_loss", x.shape(), y.shape());
  const Tensor a = expand(x, shape), sign = expand(y, shape);
  const Tensor apart = masked_fill(relu(add(neg(a), margin)), is(sign, 1), 0);
  return reduced("hinge_embedding_loss", add(apart, masked_fill(a, is(sign, -1), 0)), reduction);
}

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& y, double margin, Reduction reduction) {
  check_floating("cosine_embedding_loss", a, b);
  check<ShapeError>(a.shape() == b.shape() && a.dim() >= 1 && a.dim() <= 2 && y.dim() == a.dim() - 1 &&
                        (y.dim() == 0 || y.size(0) == a.size(0)),
                    "cosine_embedding_loss: shapes do not fit: ", a.shape(), ", ", b.shape(), ", targets ", y.shape());
  constexpr double tiny = 1e-12;
  const Tensor squares = mul(add(sum(mul(a, a), {-1}), tiny), add(sum(mul(b, b), {-1}), tiny));
  const Tensor cosine = div(sum(mul(a, b), {-1}), sqrt(squares));
  const Tensor near = where_true(is(y, 1), one_minus(cosine));
  const Tensor far = where_true(is(y, -1), relu(sub(cosine, margin)));
  return reduced("cosine_embedding_loss", add(near, far), reduction);
}

Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& y, double margin, Reduction reduction) {
  check_floating("margin_ranking_loss", a, b);
  return reduced("margin_ranking_loss", relu(add(neg(mul(y, sub(a, b))), margin)), reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin,
                           double p, double eps, bool swap, Reduction reduction) {
  check_floating("triplet_margin_loss", anchor, positive);
  check_floating("triplet_margin_loss", anchor, negative);
  check<ShapeError>(anchor.dim() >= 1, "triplet_margin_loss: needs a dimension of features");
  check<ValueError>(p > 0 && !std::isinf(p), "triplet_margin_loss: p must be positive and finite: ", p);
  const auto distance = [&](const Tensor& a, const Tensor& b) { return length(add(sub(a, b), eps), p); };
  const Tensor near = distance(anchor, positive);
  Tensor far = distance(anchor, negative);
  // min(a, b) = a - max(0, a - b).
  if (swap) far = sub(far, relu(sub(far, distance(positive, negative))));
  return reduced("triplet_margin_loss", relu(add(sub(near, far), margin)), reduction);
}

Tensor soft_margin_loss(const Tensor& x, const Tensor& y, Reduction reduction) {
  check<DtypeError>(is_floating(x.dtype()), "soft_margin_loss: needs a floating tensor: ", x.dtype());
  return reduced("soft_margin_loss", loss_parts::softplus(neg(mul(to(y, x.dtype()), x))), reduction);
}

}  // namespace hearth
