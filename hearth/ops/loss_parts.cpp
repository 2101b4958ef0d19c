// What the losses are put together from.
#include "hearth/ops/loss_parts.h"

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth::loss_parts {

namespace {

Tensor compared(kernels::CompareOp op, const Tensor& x, const Scalar& value) {
  const Tensor mask = Tensor::empty(x.shape(), Dtype::boolean, x.device());
  kernels::compare(x.device(), op, mask, x.detach(), expand(scalar_tensor(value, x.dtype()), x.shape()));
  return mask;
}

}  // namespace

Tensor is(const Tensor& x, const Scalar& value) { return compared(kernels::CompareOp::eq, x, value); }
Tensor is_not(const Tensor& x, const Scalar& value) { return compared(kernels::CompareOp::ne, x, value); }

Tensor reduced(const char* op, const Tensor& loss, Reduction reduction) {
  check<ValueError>(reduction != Reduction::batchmean, op, ": batchmean is for kl_div only");
  if (reduction == Reduction::none) return loss;
  return reduction == Reduction::sum ? sum(loss) : mean(loss);
}

Tensor magnitude(const Tensor& x) { return add(relu(x), relu(neg(x))); }

Tensor softplus(const Tensor& x) {
  const Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  {
    NoGrad guard;
    kernels::unary(x.device(), kernels::UnaryOp::log1p, y, exp(neg(magnitude(x))));
    kernels::binary(x.device(), kernels::BinaryOp::add, y, y, relu(x));
  }
  if (!needs_grad(x)) return y;
  return record("softplus", y, {x},
                [x = save(x)](const GradContext& c) -> Grads { return {mul(c.dy(), sigmoid(x.get(c)))}; });
}

Tensor length(const Tensor& x, double p) {
  const auto power = [](const Tensor& t, double exponent) {
    const Tensor zero = is(t, 0), safe = masked_fill(t, zero, 1);
    return masked_fill(exponent == 0.5 ? sqrt(safe) : pow(safe, exponent), zero, 0);
  };
  if (p == 2) return power(sum(mul(x, x), {-1}), 0.5);
  if (p == 1) return sum(magnitude(x), {-1});
  return power(sum(power(magnitude(x), p), {-1}), 1 / p);
}

void check_floating(const char* op, const Tensor& x, const Tensor& y) {
  check<DtypeError>(is_floating(x.dtype()) && is_floating(y.dtype()), op, ": needs floating tensors: ", x.dtype(),
                    " and ", y.dtype());
}

}  // namespace hearth::loss_parts
