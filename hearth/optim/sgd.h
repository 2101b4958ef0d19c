// SGD: gradient descent with momentum.
#pragma once

#include "hearth/optim/optimizer.h"

namespace hearth::optim {

struct SgdOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  ///< added to the gradient
  bool nesterov = false;
  bool maximize = false;
};

/// v = momentum v + (1 - dampening) g (v = g at first), p -= lr v; with `nesterov`, p -= lr (g + momentum v).
/// Raises ValueError for settings out of range, nesterov without momentum or with dampening.
/// Example: optim::SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9});
class SGD : public Optimizer {
 public:
  SGD(TensorList params, const SgdOptions& options = {});
  SGD(std::vector<ParamGroup> groups, const SgdOptions& options);

 protected:
  void step_group(const ParamGroup& group, const std::vector<Ready>& ready) override;
  std::optional<Shape> state_shape(const Tensor& p, std::string_view name) const override;

 private:
  SgdOptions options_;
};

}  // namespace hearth::optim
