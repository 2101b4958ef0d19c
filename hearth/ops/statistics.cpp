// Statistics over dimensions: variance, log of summed exponentials, norms.
#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/reduce_plan.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// What sums of squares and exponentials are computed in.
Tensor widened(const Tensor& x) {
  return x.dtype() == Dtype::float64 || is_complex(x.dtype()) ? x : to(x, Dtype::float32);
}

/// |x|^2, real.
Tensor squared_length(const Tensor& x) {
  return is_complex(x.dtype()) ? add(square(real(x)), square(imag(x))) : square(x);
}

}  // namespace

std::pair<Tensor, Tensor> var_mean(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  check<DtypeError>(is_differentiable(x.dtype()), "var: needs a floating or complex tensor: ", x.dtype());
  const ReducePlan plan("var", x, dims);
  // In 16 bits the squares would lose what is left of the mean.
  const Tensor wide = widened(x);
  const Tensor average = mean(wide, dims, true);
  const Tensor squares = sum(squared_length(sub(wide, average)), dims, keepdim);
  const Tensor variance = div(squares, std::max(double(plan.count) - correction, 0.0));
  return {to(variance, real_type(x.dtype())), to(reshape(average, plan.shape(keepdim)), x.dtype())};
}

Tensor var(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  return var_mean(x, dims, correction, keepdim).first;
}

Tensor std(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  const Tensor variance = var(x, dims, correction, keepdim);
  Tensor y;
  {
    NoGrad guard;
    y = sqrt(variance);
  }
  if (!needs_grad(variance)) return y;
  return record("std", y, {variance}, [y = save_output(y)](const GradContext& c) -> Grads {
    const Tensor v = y.get(c);
    return {where(eq(v, 0.0), zeros_like(v), div(c.dy(), mul(v, 2.0)))};
  });
}

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim) {
  const ReducePlan plan("logsumexp", x, dims);
  Tensor y;
  {
    NoGrad guard;
    const Tensor wide = widened(x);
    if (plan.count == 0) {
      y = full(plan.kept, -std::numeric_limits<double>::infinity(), wide.dtype());
    } else {
      const Tensor largest = amax(real(wide), dims, true);
      const Tensor shift = where(isinf(largest), zeros_like(largest), largest);
      y = add(log(sum(exp(sub(wide, shift)), dims, true)), shift);
    }
    y = to(reshape(y, plan.shape(keepdim)), is_differentiable(x.dtype()) ? x.dtype() : y.dtype()).detach();
  }
  if (!needs_grad(x)) return y;
  return record("logsumexp", y, {x},
                [x = save(x), y = save_output(y), kept = plan.kept](const GradContext& c) -> Grads {
                  return {mul(reshape(c.dy(), kept), conj(exp(sub(x.get(c), reshape(y.get(c), kept)))))};
                });
}

namespace {

/// p other than 0 and infinity: y = (sum |x|^p)^(1/p).
Tensor power_norm(const Tensor& x, double p, const Dims& dims, bool keepdim) {
  const ReducePlan plan("norm", x, dims);
  Tensor y;
  {
    NoGrad guard;
    const Tensor wide = widened(x);
    if (p == 1)
      y = sum(abs(wide), dims, keepdim);
    else if (p == 2)
      y = sqrt(sum(square(wide), dims, keepdim));
    else
      y = pow(sum(pow(abs(wide), p), dims, keepdim), 1 / p);
    y = to(y, x.dtype());
  }
  if (!needs_grad(x)) return y;
  return record("norm", y, {x}, [x = save(x), y = save_output(y), kept = plan.kept, p](const GradContext& c) -> Grads {
    const Tensor v = x.get(c), dy = reshape(c.dy(), kept);
    if (p == 1) return {mul(sign(v), dy)};
    const Tensor norm = reshape(y.get(c), kept);
    const Tensor direction = p == 2 ? v : p < 2 ? mul(sign(v), pow(abs(v), p - 1)) : mul(v, pow(abs(v), p - 2));
    const Tensor scale = div(dy, p == 2 ? norm : pow(norm, p - 1));
    const Tensor dx = mul(direction, where(eq(norm, 0.0), zeros_like(norm), scale));
    return {p < 1 ? where(eq(v, 0.0), zeros_like(v), dx) : dx};
  });
}

}  // namespace

Tensor norm(const Tensor& x, double p, const Dims& dims, bool keepdim) {
  check<DtypeError>(is_differentiable(x.dtype()), "norm: needs a floating or complex tensor: ", x.dtype());
  if (is_complex(x.dtype())) return norm(abs(x), p, dims, keepdim);
  if (std::isinf(p)) return p > 0 ? amax(abs(x), dims, keepdim) : amin(abs(x), dims, keepdim);
  if (p != 0) return power_norm(x, p, dims, keepdim);
  // Counting has no slope, but the result still belongs to x's graph.
  const Tensor count = to(sum(ne(x, 0.0), dims, keepdim), x.dtype());
  if (!needs_grad(x)) return count;
  return record("norm", count, {x}, [shape = x.shape()](const GradContext& c) -> Grads {
    return {zeros(shape, c.dy().dtype(), c.dy().device())};
  });
}

}  // namespace hearth
