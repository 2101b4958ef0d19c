// Losses over classes: cross-entropy, negative log-likelihood, multi-class margin.
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/loss.h"
#include "hearth/ops/loss_parts.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/softmax.h"
#include "hearth/ops/view.h"

namespace hearth {

using namespace loss_parts;

namespace {

/// x with the classes last, as [rows, classes].
Tensor class_rows(const Tensor& x) {
  if (x.dim() == 1) return reshape(x, {1, x.numel()});
  const int64_t classes = x.size(1);
  return reshape(movedim(x, 1, -1), {classes ? x.numel() / classes : 0, classes});
}

/// x's shape without its classes.
Shape row_shape(const Tensor& x) {
  Shape shape = x.shape();
  shape.erase(x.dim() == 1 ? 0 : 1);
  return shape;
}

void check_classes(const char* op, const Tensor& x, const ClassOptions& options) {
  check<ShapeError>(x.dim() >= 1, op, ": input needs a dimension of classes");
  check<DtypeError>(is_floating(x.dtype()), op, ": input must be floating: ", x.dtype());
  const int64_t classes = x.size(x.dim() == 1 ? 0 : 1);
  const Tensor& w = options.weight;
  check<ShapeError>(!w.defined() || (w.dim() == 1 && w.numel() == classes), op, ": weight must have ", classes,
                    " elements");
  check<ValueError>(options.label_smoothing >= 0 && options.label_smoothing <= 1, op,
                    ": label_smoothing must lie between 0 and 1: ", options.label_smoothing);
}

/// What the targets of a call come to: 0 where ignored.
struct Picked {
  Tensor ignored;  ///< bool [rows]
  Tensor weights;  ///< [rows]
  Tensor loss;     ///< [rows]: -weight * log-probability
};

Picked pick(const char* op, const Tensor& rows, const Tensor& target, const ClassOptions& options) {
  Picked p;
  const Tensor ids = reshape(to(target.detach(), Dtype::int64), {target.numel()});
  p.ignored = is(ids, options.ignore_index);
  const Tensor safe = masked_fill(ids, p.ignored, 0);
  checked_index(op, safe, 1, rows.size(1));
  const Tensor values = reshape(gather(rows, 1, unsqueeze(safe, 1)), {ids.numel()});
  p.weights = options.weight.defined() ? index_select(to(options.weight, rows.dtype()), 0, safe)
                                       : ones({ids.numel()}, rows.dtype(), rows.device());
  p.weights = masked_fill(p.weights, p.ignored, 0);
  // An ignored row may hold anything, infinities included.
  p.loss = neg(mul(masked_fill(values, p.ignored, 0), p.weights));
  return p;
}

Tensor finish(const char* op, const Tensor& loss, const Tensor& weights, const Shape& shape, Reduction reduction) {
  check<ValueError>(reduction != Reduction::batchmean, op, ": batchmean is for kl_div only");
  if (reduction == Reduction::none) return reshape(loss, shape);
  return reduction == Reduction::sum ? sum(loss) : div(sum(loss), sum(weights));
}

void check_ids(const char* op, const Tensor& x, const Tensor& target) {
  check<DtypeError>(is_integral(target.dtype()), op, ": class ids must be integral: ", target.dtype());
  check<ShapeError>(target.shape() == row_shape(x), op, ": targets ", target.shape(), " do not fit input ", x.shape());
}

Tensor of_probabilities(const Tensor& x, const Tensor& target, const ClassOptions& options) {
  check<ShapeError>(target.shape() == x.shape(), "cross_entropy: probabilities ", target.shape(), " do not fit input ",
                    x.shape());
  const Tensor log_probs = log_softmax(class_rows(x), 1);
  Tensor goal = to(class_rows(target), log_probs.dtype());
  const double smooth = options.label_smoothing;
  if (smooth > 0) goal = add(mul(goal, 1 - smooth), smooth / double(goal.size(1)));
  if (options.weight.defined()) goal = mul(goal, to(options.weight, goal.dtype()));
  const Tensor loss = neg(sum(mul(log_probs, goal), {1}));
  if (options.reduction == Reduction::none) return reshape(loss, row_shape(x));
  return reduced("cross_entropy", loss, options.reduction);
}

}  // namespace

Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const ClassOptions& options) {
  check_classes("nll_loss", log_probs, options);
  check_ids("nll_loss", log_probs, target);
  const Picked p = pick("nll_loss", class_rows(log_probs), target, options);
  return finish("nll_loss", p.loss, p.weights, target.shape(), options.reduction);
}

Tensor cross_entropy(const Tensor& x, const Tensor& target, const ClassOptions& options) {
  check_classes("cross_entropy", x, options);
  if (is_floating(target.dtype())) return of_probabilities(x, target, options);
  check_ids("cross_entropy", x, target);
  const Tensor log_probs = log_softmax(class_rows(x), 1);
  const Picked p = pick("cross_entropy", log_probs, target, options);
  const double smooth = options.label_smoothing;
  if (smooth == 0) return finish("cross_entropy", p.loss, p.weights, target.shape(), options.reduction);
  const Tensor factors = options.weight.defined() ? mul(log_probs, to(options.weight, log_probs.dtype())) : log_probs;
  const Tensor even = neg(masked_fill(sum(factors, {1}), p.ignored, 0));
  const Tensor loss = add(mul(p.loss, 1 - smooth), mul(even, smooth / double(log_probs.size(1))));
  return finish("cross_entropy", loss, p.weights, target.shape(), options.reduction);
}

Tensor multi_margin_loss(const Tensor& x, const Tensor& y, int p, double margin, const Tensor& weight,
                         Reduction reduction) {
  check_classes("multi_margin_loss", x, {.weight = weight});
  check<ShapeError>(x.dim() <= 2, "multi_margin_loss: input must be [N, C] or [C]: ", x.shape());
  check<ValueError>(p == 1 || p == 2, "multi_margin_loss: p must be 1 or 2: ", p);
  check_ids("multi_margin_loss", x, y);
  const Tensor rows = class_rows(x),
               ids = checked_index("multi_margin_loss", reshape(y, {rows.size(0)}), 1, rows.size(1));
  const Tensor at = unsqueeze(ids, 1);
  Tensor parts = relu(add(sub(rows, gather(rows, 1, at)), margin));
  if (p == 2) parts = mul(parts, parts);
  if (weight.defined()) parts = mul(parts, unsqueeze(index_select(to(weight, x.dtype()), 0, ids), 1));
  const Tensor loss = div(sum(scatter(parts, 1, at, 0), {1}), double(rows.size(1)));
  return reduced("multi_margin_loss", reshape(loss, row_shape(x)), reduction);
}

}  // namespace hearth
