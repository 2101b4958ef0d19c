// Softmax and log-softmax: the kernel works on the last dimension, other dimensions are moved there.
#include "hearth/ops/softmax.h"

#include "hearth/backend/kernels/softmax.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {
namespace {

/// [rows, n] with `dim` last, contiguous.
Tensor as_rows(const Tensor& x, int dim) {
  const Tensor moved = x.dim() == 0 || dim == x.dim() - 1 ? x : movedim(x, dim, -1);
  const int64_t n = moved.dim() == 0 ? 1 : moved.size(-1);
  return view(contiguous(moved), {n == 0 ? 0 : moved.numel() / n, n});
}

/// The reverse of `as_rows`: fresh contiguous memory in x's shape.
Tensor from_rows(const Tensor& rows, const Tensor& x, int dim) {
  if (x.dim() == 0 || dim == x.dim() - 1) return rows.alias(x.shape(), contiguous_strides(x.shape()), rows.offset());
  Shape shape = x.shape();
  shape.erase(dim);
  shape.push_back(x.size(dim));
  return clone(movedim(rows.alias(shape, contiguous_strides(shape), rows.offset()), -1, dim));
}

Tensor backward(const Tensor& y, const Tensor& dy, int dim, bool log) {
  if (grad_enabled()) {
    if (log) return sub(dy, mul(exp(y), sum(dy, {dim}, true)));
    return mul(y, sub(dy, sum(mul(dy, y), {dim}, true)));
  }
  const Tensor rows = as_rows(y, dim), gradient = as_rows(dy, dim);
  const Tensor dx = empty_like(rows);
  kernels::softmax_backward(y.device(), dx, rows, gradient, log);
  return from_rows(dx, y, dim);
}

Tensor forward(const char* name, const Tensor& x, int64_t dim_, bool log) {
  check<DtypeError>(is_floating(x.dtype()), name, ": dtype must be floating: ", x.dtype());
  const int dim = wrap_dim(name, dim_, x.dim());
  Tensor y;
  {
    NoGrad guard;
    const Tensor rows = as_rows(x, dim);
    const Tensor out = empty_like(rows);
    kernels::softmax(x.device(), out, rows, log);
    y = from_rows(out, x, dim);
  }
  if (!needs_grad(x)) return y;
  return record(name, y, {x}, [y = save_output(y), dim, log](const GradContext& c) -> Grads {
    return {backward(y.get(c), c.dy(), dim, log)};
  });
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t dim) { return forward("softmax", x, dim, false); }
Tensor log_softmax(const Tensor& x, int64_t dim) { return forward("log_softmax", x, dim, true); }

}  // namespace hearth
