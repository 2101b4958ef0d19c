// AdamW (Loshchilov and Hutter 2019): Adam with weight decay apart from the gradient.
#pragma once

#include "hearth/optim/adam.h"

namespace hearth::optim {

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool amsgrad = false;
  bool maximize = false;
};

/// Example: optim::AdamW optimizer(model.parameters(), {.lr = 3e-4}); ... backward(loss); optimizer.step();
class AdamW : public Adam {
 public:
  AdamW(TensorList params, const AdamWOptions& options = {});
  AdamW(std::vector<ParamGroup> groups, const AdamWOptions& options);
};

}  // namespace hearth::optim
