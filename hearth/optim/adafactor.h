// Adafactor (Shazeer and Stern 2018): second moments of matrices kept as a row and a column.
#pragma once

#include "hearth/optim/optimizer.h"

namespace hearth::optim {

struct AdafactorOptions {
  double lr = 1e-2;            ///< the largest relative step; the rate at step t is min(lr, 1 / sqrt(t))
  double beta2_decay = -0.8;   ///< second moments keep 1 - t^beta2_decay of themselves
  std::optional<double> eps1;  ///< floor of the second moment's root; the state dtype's epsilon if absent
  double eps2 = 1e-3;          ///< floor of the parameter's root mean square, which scales the step
  double d = 1;                ///< updates with a root mean square above d are scaled down to it
  double weight_decay = 0;     ///< shrinks the parameter, apart from the gradient
  bool maximize = false;
};

/// Steps relative to the size of the parameter, with O(rows + columns) of state for a matrix; the last two dimensions
/// are factored. Raises ValueError for settings out of range.
/// Example: optim::Adafactor optimizer(model.parameters(), {.lr = 1e-2});
class Adafactor : public ComposedOptimizer {
 public:
  Adafactor(TensorList params, const AdafactorOptions& options = {});
  Adafactor(std::vector<ParamGroup> groups, const AdafactorOptions& options);

 protected:
  Tensor updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) override;
  std::optional<Shape> state_shape(const Tensor& p, std::string_view name) const override;

 private:
  /// An estimate of the mean of g^2, in a tensor of its own.
  Tensor second_moment(size_t i, const Tensor& g, double share, double eps1);

  AdafactorOptions options_;
};

}  // namespace hearth::optim
