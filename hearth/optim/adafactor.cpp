// Adafactor: the update in PyTorch's order of operations.
#include "hearth/optim/adafactor.h"

#include <algorithm>
#include <cmath>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/reduce.h"

namespace hearth::optim {
namespace {

double root_mean_square(const Tensor& x) {
  return x.numel() == 0 ? 0 : std::sqrt(sum(mul(x, x)).item() / double(x.numel()));
}

double dtype_epsilon(Dtype dtype) { return dtype == Dtype::float64 ? 0x1p-52 : 0x1p-23; }

}  // namespace

Adafactor::Adafactor(TensorList params, const AdafactorOptions& options)
    : Adafactor(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options) {}

Adafactor::Adafactor(std::vector<ParamGroup> groups, const AdafactorOptions& options)
    : ComposedOptimizer(std::move(groups)), options_(options) {
  check<ValueError>(options.beta2_decay <= 0, "adafactor: beta2_decay must not be positive: ", options.beta2_decay);
  check<ValueError>(options.eps1.value_or(0) >= 0 && options.eps2 >= 0,
                    "adafactor: eps must not be negative: ", options.eps1.value_or(0), ", ", options.eps2);
  check<ValueError>(options.d >= 1, "adafactor: d must be at least 1: ", options.d);
}

std::optional<Shape> Adafactor::state_shape(const Tensor& p, std::string_view name) const {
  Shape shape = p.shape();
  if (p.dim() < 2) {
    if (name == "variance") return shape;
    return {};
  }
  if (name == "row_var")
    shape[p.dim() - 1] = 1;
  else if (name == "col_var")
    shape[p.dim() - 2] = 1;
  else
    return {};
  return shape;
}

Tensor Adafactor::second_moment(size_t i, const Tensor& g, double share, double eps1) {
  const auto mix = [&](Tensor& average, const Tensor& now) {
    copy_(average, add(average, mul(sub(now, average), share)));
  };
  const Tensor squares = mul(g, g);
  if (g.dim() < 2) {
    Tensor& variance = state(i, "variance");
    mix(variance, squares);
    return variance;
  }
  Tensor &rows = state(i, "row_var"), &columns = state(i, "col_var");
  mix(rows, mean(squares, {-1}, true));
  mix(columns, mean(squares, {-2}, true));
  return div(mul(rows, columns), clamp_min(mean(rows, {-2}, true), eps1));
}

Tensor Adafactor::updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) {
  const Tensor g = options_.maximize ? neg(gradient) : gradient;
  const double t = double(step_of(i)), eps1 = options_.eps1.value_or(dtype_epsilon(p.dtype()));
  const double alpha = std::max(options_.eps2, root_mean_square(p)) * std::min(group.lr, 1 / std::sqrt(t));
  const Tensor decayed = group.weight_decay != 0 ? mul(p, 1 - group.lr * group.weight_decay) : p;
  const Tensor moment = second_moment(i, g, std::pow(t, options_.beta2_decay), eps1);
  const Tensor update = div(g, sqrt(clamp_min(moment, eps1 * eps1)));
  return sub(decayed, mul(update, alpha / std::max(1.0, root_mean_square(update) / options_.d)));
}

}  // namespace hearth::optim
