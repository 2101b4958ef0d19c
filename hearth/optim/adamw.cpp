// AdamW: the update in PyTorch's order of operations.
#include "hearth/optim/adamw.h"

#include <cmath>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"

namespace hearth::optim {

AdamW::AdamW(TensorList params, const AdamWOptions& options)
    : AdamW(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options) {}

AdamW::AdamW(std::vector<ParamGroup> groups, const AdamWOptions& options)
    : Optimizer(std::move(groups)), options_(options) {
  check<ValueError>(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1,
                    "adamw: betas must be in [0, 1): ", options.beta1, ", ", options.beta2);
  check<ValueError>(options.eps >= 0, "adamw: eps must not be negative: ", options.eps);
}

void AdamW::step() {
  NoGrad guard;
  size_t i = 0;
  for (ParamGroup& group : groups_) {
    for (const Tensor& p : group.params) {
      const size_t at = i++;
      const Tensor g = p.grad();
      if (!g.defined()) continue;
      Tensor &m = state(at, "exp_avg"), &v = state(at, "exp_avg_sq");
      const double t = double(++step_of(at));
      if (group.weight_decay != 0) mul_(p, 1 - group.lr * group.weight_decay);
      copy_(m, add(m, mul(sub(g, m), 1 - options_.beta1)));
      copy_(v, add(mul(v, options_.beta2), mul(mul(g, g), 1 - options_.beta2)));
      const double correction1 = 1 - std::pow(options_.beta1, t),
                   correction2 = std::sqrt(1 - std::pow(options_.beta2, t));
      const Tensor denominator = add(div(sqrt(v), correction2), options_.eps);
      copy_(p, sub(p, mul(div(m, denominator), group.lr / correction1)));
    }
  }
}

}  // namespace hearth::optim
