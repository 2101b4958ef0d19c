// Adam: settings and state; the update is a fused kernel.
#include "hearth/optim/adam.h"

#include "hearth/ops/optim_step.h"

namespace hearth::optim {

Adam::Adam(TensorList params, const AdamOptions& options)
    : Adam(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options, false) {}

Adam::Adam(std::vector<ParamGroup> groups, const AdamOptions& options) : Adam(std::move(groups), options, false) {}

Adam::Adam(std::vector<ParamGroup> groups, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(groups)), options_(options), decoupled_(decoupled) {
  check<ValueError>(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1,
                    "adam: betas must be in [0, 1): ", options.beta1, ", ", options.beta2);
  check<ValueError>(options.eps >= 0, "adam: eps must not be negative: ", options.eps);
}

std::optional<Shape> Adam::state_shape(const Tensor& p, std::string_view name) const {
  if (name == "exp_avg" || name == "exp_avg_sq" || (options_.amsgrad && name == "max_exp_avg_sq")) return p.shape();
  return {};
}

void Adam::step_group(const ParamGroup& group, const std::vector<Ready>& ready) {
  std::vector<AdamItem> items;
  for (const auto& [i, p, grad] : ready) {
    const Tensor largest = options_.amsgrad ? state(i, "max_exp_avg_sq") : Tensor();
    items.push_back({p, grad, state(i, "exp_avg"), state(i, "exp_avg_sq"), largest, step_of(i)});
  }
  adam_step(items, {group.lr, options_.beta1, options_.beta2, options_.eps, group.weight_decay, decoupled_,
                    options_.amsgrad, options_.maximize});
}

}  // namespace hearth::optim
