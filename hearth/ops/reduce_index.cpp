// Reductions that tell where: extremes along a dimension, medians and ranks.
#include <limits>

#include "hearth/backend/kernels/reduce.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/reduce_plan.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::ReduceIndexOp;

namespace {

Tensor shaped(const Tensor& y, const Shape& shape) { return y.alias(shape, contiguous_strides(shape), y.offset()); }

void check_not_empty(const char* name, const ReducePlan& plan, const Tensor& x) {
  check<DtypeError>(!is_complex(x.dtype()), name, ": complex numbers have no order: ", x.dtype());
  check<IndexError>(plan.count > 0 || plan.out.numel() == 0, name, ": nothing to choose from: shape ", x.shape());
}

/// The chosen elements with the history that makes the gradient go back to their places.
ValueIndex chosen(const Tensor& x, int64_t dim, bool keepdim, const ReducePlan& plan, const Tensor& values,
                  const Tensor& indices) {
  const Tensor where = shaped(indices, plan.shape(keepdim));
  if (!needs_grad(x)) return {shaped(values, plan.shape(keepdim)), where};
  if (x.dim() == 0) return {clone(x), where};
  return {reshape(gather(x, dim, shaped(indices, plan.kept)), plan.shape(keepdim)), where};
}

ValueIndex extreme(const char* name, ReduceIndexOp op, const Tensor& x, int64_t dim, bool keepdim) {
  const ReducePlan plan(name, x, {dim});
  check_not_empty(name, plan, x);
  const Tensor values = Tensor::empty(plan.out, x.dtype(), x.device());
  const Tensor indices = Tensor::empty(plan.out, Dtype::int64, x.device());
  kernels::reduce_index(x.device(), op, values, indices, plan.rows);
  return chosen(x, dim, keepdim, plan, values, indices);
}

Tensor place(const char* name, ReduceIndexOp op, const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  check<DtypeError>(x.dtype() != Dtype::boolean, name, ": not defined for bool");
  const ReducePlan plan(name, x, dim ? Dims{*dim} : Dims{});
  check_not_empty(name, plan, x);
  const Tensor indices = Tensor::empty(plan.out, Dtype::int64, x.device());
  kernels::reduce_index(x.device(), op, Tensor(), indices, plan.rows);
  return shaped(indices, plan.shape(keepdim));
}

ValueIndex of_rank(const char* name, const Tensor& x, int64_t rank, int64_t dim, bool keepdim) {
  const ReducePlan plan(name, x, {dim});
  check_not_empty(name, plan, x);
  const Tensor values = Tensor::empty(plan.out, x.dtype(), x.device());
  const Tensor indices = Tensor::empty(plan.out, Dtype::int64, x.device());
  kernels::select_rank(x.device(), values, indices, plan.rows, rank);
  return chosen(x, dim, keepdim, plan, values, indices);
}

}  // namespace

ValueIndex max(const Tensor& x, int64_t dim, bool keepdim) {
  return extreme("max", ReduceIndexOp::argmax, x, dim, keepdim);
}
ValueIndex min(const Tensor& x, int64_t dim, bool keepdim) {
  return extreme("min", ReduceIndexOp::argmin, x, dim, keepdim);
}
Tensor argmax(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return place("argmax", ReduceIndexOp::argmax, x, dim, keepdim);
}
Tensor argmin(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return place("argmin", ReduceIndexOp::argmin, x, dim, keepdim);
}

ValueIndex median(const Tensor& x, int64_t dim, bool keepdim) {
  const int64_t n = x.dim() ? x.size(dim) : 1;
  check<IndexError>(n > 0, "median: nothing to choose from: shape ", x.shape());
  const ValueIndex middle = of_rank("median", x, (n - 1) / 2, dim, keepdim);
  if (!is_floating(x.dtype()) || any(isnan(x)).item() == 0) return middle;
  // NaN wins over every number and is what the largest looks for first.
  const ValueIndex largest = max(x, dim, keepdim);
  const Tensor spoilt = isnan(largest.values);
  return {where(spoilt, largest.values, middle.values), where(spoilt, largest.indices, middle.indices)};
}

Tensor median(const Tensor& x) {
  if (x.numel() == 0) {
    check<ValueError>(is_floating(x.dtype()), "median: a tensor of integers needs elements: ", x.shape());
    return full({}, std::numeric_limits<double>::quiet_NaN(), x.dtype());
  }
  Tensor y;
  {
    NoGrad guard;
    y = median(reshape(x, {-1}), 0).values;
  }
  if (!needs_grad(x)) return y;
  // All elements that equal the median share its gradient.
  return record("median", y, {x}, [x = save(x), y = save_output(y)](const GradContext& c) -> Grads {
    const Tensor v = x.get(c).detach(), middle = y.get(c).detach();
    const Tensor mask = isnan(middle).item_int() ? isnan(v) : eq(v, middle);
    return {mul(div(c.dy(), to(sum(mask), c.dy().dtype())), to(mask, c.dy().dtype()))};
  });
}

}  // namespace hearth
