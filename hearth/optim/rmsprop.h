// RMSprop (Hinton 2012), centered after Graves 2013.
#pragma once

#include "hearth/optim/optimizer.h"

namespace hearth::optim {

struct RmspropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  ///< how much of the running mean of g^2 stays in a step
  double eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient
  double momentum = 0;
  bool centered = false;  ///< divide by the deviation of g instead of its root mean square
  bool maximize = false;
};

/// p -= lr g / (sqrt(running mean of g^2) + eps), with momentum on the quotient. Raises ValueError for settings out of
/// range. Example: optim::RMSprop optimizer(model.parameters(), {.lr = 1e-3});
class RMSprop : public ComposedOptimizer {
 public:
  RMSprop(TensorList params, const RmspropOptions& options = {});
  RMSprop(std::vector<ParamGroup> groups, const RmspropOptions& options);

 protected:
  Tensor updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) override;
  std::optional<Shape> state_shape(const Tensor& p, std::string_view name) const override;

 private:
  RmspropOptions options_;
};

}  // namespace hearth::optim
