// RMSprop: the update in PyTorch's order of operations.
#include "hearth/optim/rmsprop.h"

#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"

namespace hearth::optim {

RMSprop::RMSprop(TensorList params, const RmspropOptions& options)
    : RMSprop(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options) {}

RMSprop::RMSprop(std::vector<ParamGroup> groups, const RmspropOptions& options)
    : ComposedOptimizer(std::move(groups)), options_(options) {
  check<ValueError>(options.alpha >= 0 && options.eps >= 0 && options.momentum >= 0,
                    "rmsprop: alpha, eps and momentum must not be negative: ", options.alpha, ", ", options.eps, ", ",
                    options.momentum);
}

std::optional<Shape> RMSprop::state_shape(const Tensor& p, std::string_view name) const {
  if (name == "square_avg" || (options_.momentum > 0 && name == "momentum_buffer") ||
      (options_.centered && name == "grad_avg"))
    return p.shape();
  return {};
}

Tensor RMSprop::updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) {
  Tensor g = options_.maximize ? neg(gradient) : gradient;
  if (group.weight_decay != 0) g = add(g, mul(p, group.weight_decay));
  const double alpha = options_.alpha;
  Tensor& square = state(i, "square_avg");
  copy_(square, add(mul(square, alpha), mul(mul(g, g), 1 - alpha)));
  Tensor variance = square;
  if (options_.centered) {
    Tensor& average = state(i, "grad_avg");
    copy_(average, add(average, mul(sub(g, average), 1 - alpha)));
    variance = sub(square, mul(average, average));
  }
  Tensor direction = div(g, add(sqrt(variance), options_.eps));
  if (options_.momentum > 0) {
    Tensor& velocity = state(i, "momentum_buffer");
    copy_(velocity, add(mul(velocity, options_.momentum), direction));
    direction = velocity;
  }
  return sub(p, mul(direction, group.lr));
}

}  // namespace hearth::optim
