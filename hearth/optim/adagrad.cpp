// Adagrad: the update in PyTorch's order of operations.
#include "hearth/optim/adagrad.h"

#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"

namespace hearth::optim {

Adagrad::Adagrad(TensorList params, const AdagradOptions& options)
    : Adagrad(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options) {}

Adagrad::Adagrad(std::vector<ParamGroup> groups, const AdagradOptions& options)
    : ComposedOptimizer(std::move(groups)), options_(options) {
  check<ValueError>(options.lr_decay >= 0 && options.initial_accumulator >= 0 && options.eps >= 0,
                    "adagrad: lr_decay, initial_accumulator and eps must not be negative: ", options.lr_decay, ", ",
                    options.initial_accumulator, ", ", options.eps);
}

std::optional<Shape> Adagrad::state_shape(const Tensor& p, std::string_view name) const {
  if (name == "sum") return p.shape();
  return {};
}

Tensor Adagrad::updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) {
  Tensor g = options_.maximize ? neg(gradient) : gradient;
  if (group.weight_decay != 0) g = add(g, mul(p, group.weight_decay));
  Tensor& sum = state(i, "sum", options_.initial_accumulator);
  copy_(sum, add(sum, mul(g, g)));
  const double lr = group.lr / (1 + double(step_of(i) - 1) * options_.lr_decay);
  return sub(p, mul(div(g, add(sqrt(sum), options_.eps)), lr));
}

}  // namespace hearth::optim
