// Sums, products, questions: one kernel each; the gradient is spread over the reduced dimensions again.
#include "hearth/ops/reduce.h"

#include <algorithm>

#include "hearth/backend/kernels/reduce.h"
#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce_plan.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::ReduceOp;

ReducePlan::ReducePlan(const char* op, const Tensor& x, const std::vector<int64_t>& dims) {
  Shape reduced(std::max(x.dim(), 1), dims.empty());
  for (int64_t d : dims) {
    const int at = wrap_dim(op, d, x.dim());
    check<ValueError>(!reduced[at], op, ": a dimension is named twice: ", d);
    reduced[at] = 1;
  }
  Shape sizes, strides, last_sizes, last_strides;
  for (int d = 0; d < x.dim(); ++d) {
    const int64_t size = x.shape()[d];
    kept.push_back(reduced[d] ? 1 : size);
    if (reduced[d]) {
      count *= size;
      last_sizes.push_back(size);
      last_strides.push_back(x.strides()[d]);
    } else {
      out.push_back(size);
      strides.push_back(x.strides()[d]);
    }
  }
  sizes = out;
  for (int d = 0; d < last_sizes.size(); ++d) {
    sizes.push_back(last_sizes[d]);
    strides.push_back(last_strides[d]);
  }
  rows = x.alias(sizes, strides, x.offset());
}

namespace {

/// The reduction as a tensor of `dtype`, without history.
Tensor reduced(ReduceOp op, const ReducePlan& plan, Dtype dtype, bool keepdim) {
  const Tensor y = Tensor::empty(plan.out, dtype, plan.rows.device());
  kernels::reduce(plan.rows.device(), op, y, plan.rows);
  return keepdim ? y.alias(plan.kept, contiguous_strides(plan.kept), 0) : y;
}

Dtype sum_type(Dtype dtype) { return is_differentiable(dtype) ? dtype : Dtype::int64; }

/// What any and all look at: complex numbers as whether they are 0.
Tensor answerable(const Tensor& x) {
  NoGrad guard;
  return is_complex(x.dtype()) ? to(x, Dtype::boolean) : x;
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim) {
  const ReducePlan plan("sum", x, dims);
  const Tensor y = reduced(ReduceOp::sum, plan, sum_type(x.dtype()), keepdim);
  if (!needs_grad(x)) return y;
  return record("sum", y, {x}, [kept = plan.kept, shape = x.shape()](const GradContext& c) -> Grads {
    return {expand(reshape(c.dy(), kept), shape)};
  });
}

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  check<DtypeError>(is_differentiable(x.dtype()), "mean: needs a floating or complex tensor: ", x.dtype());
  const ReducePlan plan("mean", x, dims);
  const double count = double(plan.count);
  Tensor y;
  {
    NoGrad guard;
    // Sums of 16-bit floats stay in float32 until they are divided.
    const bool narrow = x.dtype() == Dtype::float16 || x.dtype() == Dtype::bfloat16;
    const Dtype dtype = narrow ? Dtype::float32 : x.dtype();
    y = to(div(reduced(ReduceOp::sum, plan, dtype, keepdim), count), x.dtype());
  }
  if (!needs_grad(x)) return y;
  return record("mean", y, {x}, [kept = plan.kept, shape = x.shape(), count](const GradContext& c) -> Grads {
    return {expand(reshape(div(c.dy(), count), kept), shape)};
  });
}

Tensor nansum(const Tensor& x, const Dims& dims, bool keepdim) {
  check<DtypeError>(!is_complex(x.dtype()), "nansum: not defined for complex numbers: ", x.dtype());
  return is_floating(x.dtype()) ? sum(where(isnan(x), 0.0, x), dims, keepdim) : sum(x, dims, keepdim);
}

Tensor nanmean(const Tensor& x, const Dims& dims, bool keepdim) {
  check<DtypeError>(is_floating(x.dtype()), "nanmean: needs a floating tensor: ", x.dtype());
  return div(nansum(x, dims, keepdim), to(sum(logical_not(isnan(x)), dims, keepdim), x.dtype()));
}

Tensor prod(const Tensor& x, const Dims& dims, bool keepdim) {
  const ReducePlan plan("prod", x, dims);
  const Tensor y = reduced(ReduceOp::prod, plan, sum_type(x.dtype()), keepdim);
  if (!needs_grad(x)) return y;
  return record("prod", y, {x},
                [x = save(x), y = save_output(y), kept = plan.kept, dims](const GradContext& c) -> Grads {
                  // For complex numbers the conjugate of the real formula, as in broadcast.h.
                  const Tensor v = x.get(c), dy = conj(reshape(c.dy(), kept)), zero = eq(v, 0.0);
                  const Tensor plain = div(mul(dy, reshape(y.get(c), kept)), v);
                  if (any(zero).item() == 0) return {conj(plain)};
                  // A row with one zero has a gradient at the zero only: the product of the others. With two it has
                  // none.
                  const Tensor zeros_in_row = sum(zero, dims, true);
                  const Tensor others = prod(where(zero, 1.0, v), dims, true);
                  const Tensor at_zero = where(logical_and(zero, eq(zeros_in_row, 1)), mul(dy, others), zeros_like(v));
                  return {conj(where(eq(zeros_in_row, 0), plain, at_zero))};
                });
}

// PyTorch answers in uint8 for uint8.
Tensor any(const Tensor& x, const Dims& dims, bool keepdim) {
  const Dtype dtype = x.dtype() == Dtype::uint8 ? Dtype::uint8 : Dtype::boolean;
  return reduced(ReduceOp::any, ReducePlan("any", answerable(x), dims), dtype, keepdim);
}
Tensor all(const Tensor& x, const Dims& dims, bool keepdim) {
  const Dtype dtype = x.dtype() == Dtype::uint8 ? Dtype::uint8 : Dtype::boolean;
  return reduced(ReduceOp::all, ReducePlan("all", answerable(x), dims), dtype, keepdim);
}
Tensor count_nonzero(const Tensor& x, const Dims& dims) {
  NoGrad guard;
  return sum(ne(x, 0), dims);
}

namespace {

/// amax and amin: what equals the extreme shares the gradient.
Tensor extreme(const char* name, ReduceOp op, const Tensor& x, const Dims& dims, bool keepdim) {
  const ReducePlan plan(name, x, dims);
  check<DtypeError>(!is_complex(x.dtype()), name, ": complex numbers have no order: ", x.dtype());
  check<IndexError>(plan.count > 0 || plan.out.numel() == 0, name, ": nothing to choose from: shape ", x.shape());
  const Tensor y = reduced(op, plan, x.dtype(), keepdim);
  if (!needs_grad(x)) return y;
  return record(name, y, {x}, [x = save(x), y = save_output(y), kept = plan.kept, dims](const GradContext& c) -> Grads {
    const Tensor mask = eq(x.get(c).detach(), reshape(y.get(c), kept).detach());
    const Tensor share = div(reshape(c.dy(), kept), to(sum(mask, dims, true), c.dy().dtype()));
    return {mul(share, to(mask, share.dtype()))};
  });
}

}  // namespace

Tensor amax(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme("amax", ReduceOp::max, x, dims, keepdim);
}
Tensor amin(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme("amin", ReduceOp::min, x, dims, keepdim);
}
std::pair<Tensor, Tensor> aminmax(const Tensor& x, const Dims& dims, bool keepdim) {
  return {amin(x, dims, keepdim), amax(x, dims, keepdim)};
}

}  // namespace hearth
