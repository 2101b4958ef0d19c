// SGD: settings and state; the update is a fused kernel.
#include "hearth/optim/sgd.h"

#include "hearth/ops/optim_step.h"

namespace hearth::optim {

SGD::SGD(TensorList params, const SgdOptions& options)
    : SGD(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options) {}

SGD::SGD(std::vector<ParamGroup> groups, const SgdOptions& options) : Optimizer(std::move(groups)), options_(options) {
  check<ValueError>(options.momentum >= 0, "sgd: momentum must not be negative: ", options.momentum);
  check<ValueError>(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
                    "sgd: nesterov needs a momentum and no dampening: ", options.momentum, ", ", options.dampening);
}

std::optional<Shape> SGD::state_shape(const Tensor& p, std::string_view name) const {
  if (options_.momentum != 0 && name == "momentum_buffer") return p.shape();
  return {};
}

void SGD::step_group(const ParamGroup& group, const std::vector<Ready>& ready) {
  std::vector<SgdItem> items;
  for (const auto& [i, p, grad] : ready) {
    const Tensor velocity = options_.momentum != 0 ? state(i, "momentum_buffer") : Tensor();
    items.push_back({p, grad, velocity, step_of(i) == 1});
  }
  sgd_step(items,
           {group.lr, options_.momentum, options_.dampening, group.weight_decay, options_.nesterov, options_.maximize});
}

}  // namespace hearth::optim
