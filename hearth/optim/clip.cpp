// Gradient clipping.
#include "hearth/optim/clip.h"

#include <cmath>

#include "hearth/ops/optim_step.h"

namespace hearth::optim {

double clip_grad_norm(const TensorList& params, double max_norm) {
  check<ValueError>(max_norm > 0, "clip_grad_norm: max_norm must be positive: ", max_norm);
  TensorList gradients;
  for (const Tensor& p : params) gradients.push_back(p.grad());
  const double norm = grad_norm(gradients), scale = max_norm / (norm + 1e-6);
  if (scale < 1 && std::isfinite(norm)) scale_(gradients, scale);
  return norm;
}

}  // namespace hearth::optim
