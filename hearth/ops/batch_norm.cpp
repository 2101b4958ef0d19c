// Normalisation over batches, groups of channels and instances, composed of differentiable ops.
#include "hearth/ops/batch_norm.h"

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/norm.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

bool is_half(Dtype dtype) { return dtype == Dtype::float16 || dtype == Dtype::bfloat16; }

void check_channels(const char* op, const char* what, const Tensor& t, const Tensor& x) {
  check<ShapeError>(!t.defined() || (t.dim() == 1 && t.numel() == x.size(1)), op, ": ", what, " must have ", x.size(1),
                    " elements: ", t.defined() ? t.shape() : Shape{});
  check<DtypeError>(!t.defined() || is_floating(t.dtype()), op, ": ", what, " must be floating");
}

void check_input(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check<ShapeError>(x.dim() >= 2, op, ": needs [N, C, ...]: ", x.shape());
  check<DtypeError>(is_floating(x.dtype()), op, ": needs a floating tensor: ", x.dtype());
  check_channels(op, "weight", weight, x);
  check_channels(op, "bias", bias, x);
}

/// One value per channel, shaped to broadcast over x.
Tensor per_channel(const Tensor& t, const Tensor& x) {
  Shape shape(x.dim(), 1);
  shape[1] = x.size(1);
  return reshape(to(t, x.dtype()), shape);
}

Tensor scaled(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y = weight.defined() ? mul(x, per_channel(weight, x)) : x;
  return bias.defined() ? add(y, per_channel(bias, x)) : y;
}

/// running = (1 - momentum) running + momentum value.
void move_towards(const Tensor& running, const Tensor& value, double momentum) {
  if (!running.defined()) return;
  NoGrad guard;
  copy_(running,
        add(mul(running, 1 - momentum), mul(to(reshape(value.detach(), running.shape()), running.dtype()), momentum)));
}

Tensor with_running(const char* op, const Tensor& x, const Tensor& mean, const Tensor& var, double eps) {
  check<ValueError>(mean.defined() && var.defined(), op, ": needs running statistics outside training");
  return div(sub(x, per_channel(mean, x)), sqrt(add(per_channel(var, x), eps)));
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, bool training, double momentum, double eps) {
  check_input("batch_norm", x, weight, bias);
  check_channels("batch_norm", "running mean", running_mean, x);
  check_channels("batch_norm", "running variance", running_var, x);
  const Tensor input = is_half(x.dtype()) ? to(x, Dtype::float32) : x;
  if (!training)
    return to(scaled(with_running("batch_norm", input, running_mean, running_var, eps), weight, bias), x.dtype());
  const int64_t count = x.size(1) ? x.numel() / x.size(1) : 0;
  check<ValueError>(count > 1, "batch_norm: training needs more than one value per channel: ", x.shape());
  Dims dims;
  for (int d = 0; d < x.dim(); ++d)
    if (d != 1) dims.push_back(d);
  const Tensor centre = mean(input, dims, true), apart = sub(input, centre);
  const Tensor var = mean(mul(apart, apart), dims, true);
  move_towards(running_mean, centre, momentum);
  move_towards(running_var, mul(var.detach(), double(count) / double(count - 1)), momentum);
  return to(scaled(div(apart, sqrt(add(var, eps))), weight, bias), x.dtype());
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  check_input("group_norm", x, weight, bias);
  check<ValueError>(groups >= 1 && x.size(1) % groups == 0, "group_norm: groups ", groups, " must divide the channels ",
                    x.size(1));
  if (x.numel() == 0) return clone(x);
  const Tensor input = is_half(x.dtype()) ? to(x, Dtype::float32) : x;
  const Tensor rows = reshape(input, {x.size(0) * groups, x.numel() / (x.size(0) * groups)});
  const Tensor y = reshape(layer_norm(contiguous(rows), {}, {}, eps), x.shape());
  return to(scaled(y, weight, bias), x.dtype());
}

Tensor instance_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                     const Tensor& bias, bool use_input_stats, double momentum, double eps) {
  check_input("instance_norm", x, weight, bias);
  check_channels("instance_norm", "running mean", running_mean, x);
  check_channels("instance_norm", "running variance", running_var, x);
  if (!use_input_stats) return batch_norm(x, running_mean, running_var, weight, bias, false, momentum, eps);
  check<ShapeError>(x.dim() >= 3, "instance_norm: needs [N, C, ...] with places: ", x.shape());
  const int64_t planes = x.size(0) * x.size(1), places = planes > 0 ? x.numel() / planes : 0;
  check<ValueError>(places > 1, "instance_norm: needs more than one place per channel: ", x.shape());
  if (running_mean.defined() || running_var.defined()) {
    NoGrad guard;
    const Tensor rows = reshape(to(x.detach(), running_mean.defined() ? running_mean.dtype() : running_var.dtype()),
                                {x.size(0), x.size(1), places});
    const Tensor centre = mean(rows, {2}, true), apart = sub(rows, centre);
    const Tensor var = div(sum(mul(apart, apart), {2}), double(places - 1));
    move_towards(running_mean, mean(centre, {0}), momentum);
    move_towards(running_var, mean(var, {0}), momentum);
  }
  return group_norm(x, x.size(1), weight, bias, eps);
}

}  // namespace hearth
