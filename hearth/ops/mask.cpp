// Masks: choosing, filling and counting elements by a bool tensor.
#include "hearth/ops/mask.h"

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/backend/kernels/index.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/index.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

void check_mask(const char* op, const Tensor& mask) {
  check<DtypeError>(mask.dtype() == Dtype::boolean, op, ": mask must be bool: ", mask.dtype());
}

/// Row-major positions of the true elements, int64 [count].
Tensor positions(const Tensor& mask) { return reshape(nonzero(reshape(mask, {mask.numel()})), {-1}); }

/// x where mask is false, else value; all of one shape.
Tensor choose(const Tensor& mask, const Tensor& value, const Tensor& x) {
  const Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::where(x.device(), y, mask, value, x);
  return y;
}

}  // namespace

Tensor nonzero(const Tensor& x) {
  NoGrad guard;
  const Tensor flags = contiguous(to(x, Dtype::boolean));
  const int64_t count = sum(flags).item_int();
  const Tensor y = Tensor::empty({count, x.dim()}, Dtype::int64, x.device());
  kernels::nonzero(x.device(), y, flags);
  return y;
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  check_mask("masked_select", mask);
  const Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  return index_select(reshape(expand(x, shape), {shape.numel()}), 0, positions(expand(mask, shape)));
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value) {
  check_mask("masked_fill", mask);
  check<ShapeError>(value.dim() == 0, "masked_fill: value must be a 0-dim tensor: ", value.shape());
  const Shape shape = broadcast_shapes("masked_fill", x.shape(), mask.shape());
  Tensor y;
  const Tensor flags = expand(mask.detach(), shape);
  {
    NoGrad guard;
    y = choose(flags, expand(to(value, x.dtype()), shape), expand(x, shape));
  }
  if (!needs_grad(x, value)) return y;
  return record("masked_fill", y, {x, value},
                [flags, from = x.shape(), dtype = value.dtype()](const GradContext& c) -> Grads {
                  Tensor dx, dvalue;
                  if (c.needs(0)) dx = sum_to(masked_fill(c.dy(), flags, 0), from);
                  if (c.needs(1)) dvalue = to(sum(masked_select(c.dy(), flags)), dtype);
                  return {dx, dvalue};
                });
}
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Scalar& value) {
  return masked_fill(x, mask, scalar_tensor(value, x.dtype()));
}

Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& src) {
  check_mask("masked_scatter", mask);
  check<DtypeError>(x.dtype() == src.dtype(), "masked_scatter: dtypes differ: tensor ", x.dtype(), ", source ",
                    src.dtype());
  const Shape shape = broadcast_shapes("masked_scatter", x.shape(), mask.shape());
  const Tensor at = positions(expand(mask, shape));
  check<ShapeError>(src.numel() >= at.numel(), "masked_scatter: mask asks for ", at.numel(), " elements, source has ",
                    src.numel());
  const Tensor values = narrow(reshape(src, {src.numel()}), 0, 0, at.numel());
  return reshape(index_copy(reshape(expand(x, shape), {shape.numel()}), 0, at, values), shape);
}

const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, const Tensor& value) {
  return apply_(x, "masked_fill_", [&](const Tensor& old) { return masked_fill(old, mask, value); });
}
const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, const Scalar& value) {
  return apply_(x, "masked_fill_", [&](const Tensor& old) { return masked_fill(old, mask, value); });
}
const Tensor& masked_scatter_(const Tensor& x, const Tensor& mask, const Tensor& src) {
  return apply_(x, "masked_scatter_", [&](const Tensor& old) { return masked_scatter(old, mask, src); });
}

}  // namespace hearth
