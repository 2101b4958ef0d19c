// Normalisation layers.
#include "hearth/nn/norm.h"

#include "hearth/nn/init.h"
#include "hearth/ops/batch_norm.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/norm.h"
#include "hearth/ops/view.h"

namespace hearth::nn {

LayerNorm::LayerNorm(Shape shape, double eps, bool affine, bool with_bias) : shape_(shape), eps_(eps) {
  check<ShapeError>(shape.size() > 0, "layer_norm: got no dimension to normalise");
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  if (affine) init::ones_(weight = new_parameter(shape));
  if (affine && with_bias) init::zeros_(bias = new_parameter(shape));
}

Tensor LayerNorm::forward(const Tensor& x) const {
  const int count = shape_.size(), first = x.dim() - count;
  bool fits = first >= 0;
  for (int d = 0; fits && d < count; ++d) fits = x.size(first + d) == shape_[d];
  check<ShapeError>(fits, "layer_norm: input ", x.shape(), " does not end with ", shape_);
  if (count == 1) return layer_norm(x, weight, bias, eps_);
  const auto flat = [](const Tensor& t) { return t.defined() ? flatten(t) : t; };
  return reshape(layer_norm(flatten(x, first), flat(weight), flat(bias), eps_), x.shape());
}

RMSNorm::RMSNorm(int64_t width, double eps, bool affine) : width_(width), eps_(eps) {
  add_parameter("weight", weight);
  if (affine) init::ones_(weight = new_parameter({width}));
}

Tensor RMSNorm::forward(const Tensor& x) const {
  check<ShapeError>(x.dim() > 0 && x.size(-1) == width_, "rms_norm: input ", x.shape(), " does not end with ", width_);
  return rms_norm(x, weight, eps_);
}

GroupNorm::GroupNorm(int64_t groups, int64_t channels, double eps, bool affine)
    : groups_(groups), channels_(channels), eps_(eps) {
  check<ValueError>(groups > 0 && channels % groups == 0, "group_norm: groups must divide the channels: ", groups, ", ",
                    channels);
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  if (!affine) return;
  init::ones_(weight = new_parameter({channels}));
  init::zeros_(bias = new_parameter({channels}));
}

Tensor GroupNorm::forward(const Tensor& x) const {
  check<ShapeError>(x.dim() >= 2 && x.size(1) == channels_, "group_norm: input ", x.shape(), " for ", channels_,
                    " channels");
  return group_norm(x, groups_, weight, bias, eps_);
}

BatchNorm::BatchNorm(int64_t channels, const BatchNormOptions& options, int least_dims, int most_dims)
    : channels_(channels), options_(options), least_dims_(least_dims), most_dims_(most_dims) {
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  add_buffer("running_mean", running_mean);
  add_buffer("running_var", running_var);
  add_buffer("num_batches_tracked", num_batches_tracked);
  if (options.affine) {
    init::ones_(weight = new_parameter({channels}));
    init::zeros_(bias = new_parameter({channels}));
  }
  if (!options.track_running_stats) return;
  running_mean = zeros({channels});
  running_var = ones({channels});
  num_batches_tracked = scalar_tensor(int64_t(0));
}

Tensor BatchNorm::forward(const Tensor& x) const {
  check<ShapeError>(x.dim() >= least_dims_ && x.dim() <= most_dims_ && x.size(1) == channels_, "batch_norm: input ",
                    x.shape(), " for ", channels_, " channels and ", least_dims_, " to ", most_dims_, " dimensions");
  const bool tracked = running_mean.defined();
  if (is_training() && tracked) {
    NoGrad guard;
    fill_(num_batches_tracked, num_batches_tracked.item_int() + 1);
  }
  return batch_norm(x, running_mean, running_var, weight, bias, is_training() || !tracked, options_.momentum,
                    options_.eps);
}

}  // namespace hearth::nn
