// Adagrad (Duchi et al. 2011).
#pragma once

#include "hearth/optim/optimizer.h"

namespace hearth::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;      ///< the rate at step t is lr / (1 + (t - 1) lr_decay)
  double weight_decay = 0;  ///< added to the gradient
  double initial_accumulator = 0;
  double eps = 1e-10;
  bool maximize = false;
};

/// p -= lr g / (sqrt(sum of all g^2 so far) + eps). Raises ValueError for settings out of range.
/// Example: optim::Adagrad optimizer(model.parameters(), {.lr = 0.1});
class Adagrad : public ComposedOptimizer {
 public:
  Adagrad(TensorList params, const AdagradOptions& options = {});
  Adagrad(std::vector<ParamGroup> groups, const AdagradOptions& options);

 protected:
  Tensor updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) override;
  std::optional<Shape> state_shape(const Tensor& p, std::string_view name) const override;

 private:
  AdagradOptions options_;
};

}  // namespace hearth::optim
