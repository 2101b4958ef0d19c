// Adam (Kingma and Ba 2015) with its AMSGrad variant (Reddi et al. 2018).
#pragma once

#include "hearth/optim/optimizer.h"

namespace hearth::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient
  bool amsgrad = false;     ///< divide by the largest second moment so far
  bool maximize = false;
};

/// p -= lr m' / (sqrt(v') + eps), where m' and v' are bias-corrected running means of g and g^2.
/// Raises ValueError for settings out of range.
/// Example: optim::Adam optimizer(model.parameters(), {.lr = 1e-3});
class Adam : public Optimizer {
 public:
  Adam(TensorList params, const AdamOptions& options = {});
  Adam(std::vector<ParamGroup> groups, const AdamOptions& options);

 protected:
  /// With `decoupled`, decay shrinks the parameter and leaves the gradient alone (AdamW).
  Adam(std::vector<ParamGroup> groups, const AdamOptions& options, bool decoupled);
  void step_group(const ParamGroup& group, const std::vector<Ready>& ready) override;
  std::optional<Shape> state_shape(const Tensor& p, std::string_view name) const override;

 private:
  AdamOptions options_;
  bool decoupled_;
};

}  // namespace hearth::optim
