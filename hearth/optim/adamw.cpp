// AdamW: Adam with its decay decoupled.
#include "hearth/optim/adamw.h"

namespace hearth::optim {
namespace {

AdamOptions adam_options(const AdamWOptions& o) {
  return {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay, o.amsgrad, o.maximize};
}

}  // namespace

AdamW::AdamW(TensorList params, const AdamWOptions& options)
    : AdamW(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options) {}

AdamW::AdamW(std::vector<ParamGroup> groups, const AdamWOptions& options)
    : Adam(std::move(groups), adam_options(options), true) {}

}  // namespace hearth::optim
