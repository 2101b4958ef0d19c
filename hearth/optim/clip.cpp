// Gradient clipping.
#include "hearth/optim/clip.h"

#include <cmath>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/optim_step.h"
#include "hearth/ops/reduce.h"

namespace hearth::optim {
namespace {

TensorList gradients_of(const TensorList& params) {
  TensorList out;
  for (const Tensor& p : params)
    if (p.defined() && p.grad().defined() && p.numel() > 0) out.push_back(p.grad());
  return out;
}

double norm_of(const TensorList& gradients, double order) {
  if (order == 2) return grad_norm(gradients);
  double total = 0;
  for (const Tensor& gradient : gradients) {
    const Tensor g = abs(to(gradient, Dtype::float64));
    if (!std::isinf(order)) {
      total += sum(order == 1 ? g : pow(g, order)).item();
    } else if (const double largest = amax(g).item(); !(largest <= total)) {
      total = largest;  // NaN too, which then stays
      if (std::isnan(total)) return total;
    }
  }
  return std::isinf(order) ? total : std::pow(total, 1 / order);
}

}  // namespace

double clip_grad_norm(const TensorList& params, double max_norm, double norm_type) {
  check<ValueError>(max_norm > 0, "clip_grad_norm: max_norm must be positive: ", max_norm);
  check<ValueError>(norm_type > 0, "clip_grad_norm: norm_type must be positive: ", norm_type);
  NoGrad guard;
  const TensorList gradients = gradients_of(params);
  const double norm = norm_of(gradients, norm_type), scale = max_norm / (norm + 1e-6);
  if (scale < 1 && std::isfinite(norm)) scale_(gradients, scale);
  return norm;
}

void clip_grad_value(const TensorList& params, double max_value) {
  check<ValueError>(max_value >= 0, "clip_grad_value: max_value must not be negative: ", max_value);
  NoGrad guard;
  for (const Tensor& g : gradients_of(params)) clamp_(g, -max_value, max_value);
}

}  // namespace hearth::optim
