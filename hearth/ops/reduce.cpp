// Reductions: the dimensions to reduce are moved to the back, then one kernel reduces rows.
#include "hearth/ops/reduce.h"

#include <algorithm>

#include "hearth/backend/kernels/reduce.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

struct Plan {
  std::vector<bool> reduced;
  Shape kept;  ///< shape with size 1 in the reduced dimensions
  Shape out;   ///< shape without them
  int64_t count = 1;
};

Plan plan_reduction(const char* op, const Tensor& x, const Dims& dims) {
  Plan plan;
  plan.reduced.assign(size_t(std::max(x.dim(), 1)), dims.empty());
  for (int64_t d : dims) {
    const size_t at = size_t(wrap_dim(op, d, x.dim()));
    check<ValueError>(!plan.reduced[at], op, ": a dimension is named twice: ", d);
    plan.reduced[at] = true;
  }
  for (int d = 0; d < x.dim(); ++d) {
    const int64_t size = x.shape()[d];
    plan.kept.push_back(plan.reduced[size_t(d)] ? 1 : size);
    if (plan.reduced[size_t(d)])
      plan.count *= size;
    else
      plan.out.push_back(size);
  }
  return plan;
}

/// x with the reduced dimensions moved to the back: a view.
Tensor as_rows(const Tensor& x, const Plan& plan) {
  Shape order;
  for (int d = 0; d < x.dim(); ++d)
    if (!plan.reduced[size_t(d)]) order.push_back(d);
  for (int d = 0; d < x.dim(); ++d)
    if (plan.reduced[size_t(d)]) order.push_back(d);
  return permute(x, order);
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim) {
  const Plan plan = plan_reduction("sum", x, dims);
  Tensor y;
  {
    NoGrad guard;
    const Tensor input = is_floating(x.dtype()) ? x : to(x, Dtype::int64);
    y = Tensor::empty(keepdim ? plan.kept : plan.out, input.dtype(), x.device());
    kernels::reduce(x.device(), kernels::ReduceOp::sum, y.alias(plan.out, contiguous_strides(plan.out), 0), as_rows(input, plan));
  }
  if (!needs_grad(x)) return y;
  return record("sum", y, {x}, [kept = plan.kept, shape = x.shape()](const GradContext& c) -> Grads {
    return {expand(reshape(c.dy(), kept), shape)};
  });
}

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  check<DtypeError>(is_floating(x.dtype()), "mean: needs a floating tensor: ", x.dtype());
  return div(sum(x, dims, keepdim), double(plan_reduction("mean", x, dims).count));
}

}  // namespace hearth
