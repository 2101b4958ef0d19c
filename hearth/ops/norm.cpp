// Normalisation: one forward and one backward for both norms; `centered` tells them apart.
#include "hearth/ops/norm.h"

#include "hearth/backend/kernels/norm.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {
namespace {

/// x as the kernel's [outer, inner, dim]; in place where the last stride is 1.
Tensor as_rows(const Tensor& x) {
  const int64_t dim = x.size(-1);
  if (!x.is_contiguous() && (x.dim() == 2 || x.dim() == 3) && x.stride(-1) == 1) {
    if (x.dim() == 3) return x.alias(x.shape(), x.strides(), x.offset());
    return x.alias({x.size(0), 1, dim}, {x.stride(0), dim, 1}, x.offset());
  }
  const Tensor dense = contiguous(x);
  const int64_t rows = dim == 0 ? 0 : x.numel() / dim;
  return dense.alias({rows, 1, dim}, {dim, dim, 1}, dense.offset());
}

void check_parameter(const char* name, const char* what, const Tensor& x, const Tensor& parameter) {
  if (!parameter.defined()) return;
  check<ShapeError>(parameter.dim() == 1 && parameter.size(0) == x.size(-1), name, ": ", what,
                    " must have the size of the last dimension: ", parameter.shape(), " for x ", x.shape());
  check<DtypeError>(parameter.dtype() == x.dtype(), name, ": ", what, " and x differ in dtype: ", parameter.dtype(),
                    " and ", x.dtype());
  check<DeviceError>(parameter.device() == x.device(), name, ": ", what,
                     " and x are on different devices: ", parameter.device(), " and ", x.device());
}

/// The formula in ops, so that it can be differentiated again.
Grads composed_backward(const GradContext& c, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                        bool centered) {
  const Tensor shifted = centered ? sub(x, mean(x, {-1}, true)) : x;
  const Tensor rstd = pow(add(mean(mul(shifted, shifted), {-1}, true), eps), -0.5);
  const Tensor normalised = mul(shifted, rstd);
  const Tensor g = weight.defined() ? mul(c.dy(), weight) : c.dy();
  Grads grads(3);
  if (c.needs(0)) {
    const Tensor level = centered ? sub(g, mean(g, {-1}, true)) : g;
    grads[0] = mul(rstd, sub(level, mul(normalised, mean(mul(g, normalised), {-1}, true))));
  }
  if (weight.defined() && c.needs(1)) grads[1] = sum_to(mul(c.dy(), normalised), weight.shape());
  if (bias.defined() && c.needs(2)) grads[2] = sum_to(c.dy(), bias.shape());
  return grads;
}

Tensor normalise(const char* name, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                 bool centered) {
  check<DtypeError>(is_floating(x.dtype()), name, ": dtype must be floating: ", x.dtype());
  check<ShapeError>(x.dim() >= 1, name, ": x needs at least one dimension");
  check_parameter(name, "weight", x, weight);
  check_parameter(name, "bias", x, bias);
  const Tensor y = empty_like(x);
  const Dtype wide = x.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32;
  Tensor mean, rstd;
  {
    NoGrad guard;
    const Tensor rows = as_rows(x);
    const Shape dense = rows.shape();
    mean = Tensor::empty({dense[0] * dense[1]}, wide, x.device());
    rstd = empty_like(mean);
    kernels::norm(x.device(), y.alias(dense, contiguous_strides(dense), y.offset()), mean, rstd, rows,
                  weight.defined() ? contiguous(weight) : weight, bias.defined() ? contiguous(bias) : bias, eps,
                  centered);
  }
  if (!needs_grad(x, weight, bias)) return y;
  return record(name, y, {x, weight, bias},
                [x = save(x), weight = save(weight), bias = save(bias), mean, rstd, eps,
                 centered](const GradContext& c) -> Grads {
                  const Tensor input = x.get(c), w = weight.defined() ? weight.get(c) : Tensor(),
                               b = bias.defined() ? bias.get(c) : Tensor();
                  if (grad_enabled()) return composed_backward(c, input, w, b, eps, centered);
                  Grads grads(3);
                  if (c.needs(0)) grads[0] = empty_like(input);
                  if (w.defined() && c.needs(1)) grads[1] = empty_like(w);
                  if (b.defined() && c.needs(2)) grads[2] = empty_like(b);
                  const Tensor rows = as_rows(input), dy = contiguous(c.dy());
                  const Shape dense = rows.shape(), strides = contiguous_strides(dense);
                  const Tensor dx = grads[0].defined() ? grads[0].alias(dense, strides, grads[0].offset()) : Tensor();
                  kernels::norm_backward(input.device(), dx, grads[1], grads[2], dy.alias(dense, strides, dy.offset()),
                                         rows, w.defined() ? contiguous(w) : w, mean, rstd, centered);
                  return grads;
                });
}

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return normalise("rms_norm", x, weight, {}, eps, false);
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return normalise("layer_norm", x, weight, bias, eps, true);
}

}  // namespace hearth
