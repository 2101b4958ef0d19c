// Gradient clipping.
#include "hearth/optim/clip.h"

#include <cmath>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/reduce.h"

namespace hearth::optim {

double clip_grad_norm(const TensorList& params, double max_norm) {
  check<ValueError>(max_norm > 0, "clip_grad_norm: max_norm must be positive: ", max_norm);
  NoGrad guard;
  double squares = 0;
  for (const Tensor& p : params)
    if (const Tensor g = p.grad(); g.defined())
      squares += sum(mul(to(g, Dtype::float64), to(g, Dtype::float64))).item();
  const double norm = std::sqrt(squares);
  const double scale = max_norm / (norm + 1e-6);
  if (scale >= 1 || !std::isfinite(norm)) return norm;
  for (const Tensor& p : params)
    if (const Tensor g = p.grad(); g.defined()) mul_(g, scale);
  return norm;
}

}  // namespace hearth::optim
