// The linear layer's product.
#include "hearth/ops/linear.h"

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/view.h"

namespace hearth {

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check<ShapeError>(weight.dim() == 2 && x.dim() >= 1 && x.size(-1) == weight.size(1), "linear: input ", x.shape(),
                    " does not fit weight ", weight.shape());
  const Tensor y = matmul(x, transpose(to(weight, x.dtype()), 0, 1));
  return bias.defined() ? add(y, to(bias, x.dtype())) : y;
}

}  // namespace hearth
