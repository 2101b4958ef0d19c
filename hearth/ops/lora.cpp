// The product of a frozen linear layer with a low-rank path beside it, in one node.
#include "hearth/ops/lora.h"

#include "hearth/backend/kernels/matmul.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// out = a b, or out += a b; matrices, without history.
void product(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  kernels::matmul(out.device(), unsqueeze(out, 0), unsqueeze(a, 0), unsqueeze(b, 0), accumulate);
}

Tensor new_matrix(int64_t rows, int64_t columns) { return Tensor::empty({rows, columns}); }

/// scale * x A^T.
Tensor down(const Tensor& x, const Tensor& a, double scale) {
  const Tensor h = new_matrix(x.size(0), a.size(0));
  product(h, x, transpose(a, 0, 1), false);
  return mul(h, scale);
}

void check_arguments(const Tensor& x, const PackedLinear& weight, const Tensor& a, const Tensor& b) {
  check<DtypeError>(x.dtype() == Dtype::float32 && a.dtype() == Dtype::float32 && b.dtype() == Dtype::float32,
                    "lora_linear: x, a and b must be float32: ", x.dtype(), ", ", a.dtype(), ", ", b.dtype());
  const Shape& w = weight.weight().shape();
  check<ShapeError>(x.dim() == 2 && x.size(1) == w[1], "lora_linear: input ", x.shape(), " does not fit weight ", w);
  check<ShapeError>(a.dim() == 2 && b.dim() == 2 && a.size(1) == w[1] && b.size(0) == w[0] && a.size(0) == b.size(1),
                    "lora_linear: a must be [rank, in], b [out, rank]: ", a.shape(), " and ", b.shape(), " for weight ",
                    w);
}

/// The backward in plain ops, for higher derivatives.
Grads composed_backward(const GradContext& c, const PackedLinear& weight, const Tensor& x, const Tensor& a,
                        const Tensor& b, double scale) {
  const Tensor& dy = c.dy();
  const Tensor h = matmul(x, transpose(a, 0, 1)), dh = mul(matmul(dy, b), scale);
  return {add(matmul(dy, to(weight.weight(), Dtype::float32)), matmul(dh, a)), sum(dy, {0}),
          matmul(transpose(dh, 0, 1), x), mul(matmul(transpose(dy, 0, 1), h), scale)};
}

}  // namespace

Tensor lora_linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias, const Tensor& a, const Tensor& b,
                   double scale) {
  check_arguments(x, weight, a, b);
  const Tensor wide_bias = bias.defined() ? to(bias, Dtype::float32) : bias;
  const Tensor y = new_matrix(x.size(0), b.size(0));
  Tensor h;
  {
    NoGrad guard;
    weight.forward(y, x, wide_bias);
    h = down(x, a, scale);
    product(y, h, transpose(b, 0, 1), true);
  }
  if (!needs_grad(x, wide_bias, a, b)) return y;
  return record("lora_linear", y, {x, wide_bias, a, b},
                [x = save(x), a = save(a), b = save(b), h, weight, scale](const GradContext& c) -> Grads {
                  const Tensor input = x.get(c), down_weight = a.get(c), up_weight = b.get(c);
                  if (grad_enabled()) return composed_backward(c, weight, input, down_weight, up_weight, scale);
                  const Tensor dy = contiguous(c.dy());
                  Grads grads(4);
                  const Tensor dh = new_matrix(dy.size(0), up_weight.size(1));
                  product(dh, dy, up_weight, false);
                  const Tensor scaled = mul(dh, scale);
                  if (c.needs(0)) {
                    grads[0] = new_matrix(dy.size(0), input.size(1));
                    weight.backward(grads[0], dy);
                    product(grads[0], scaled, down_weight, true);
                  }
                  if (c.needs(1)) grads[1] = sum(dy, {0});
                  if (c.needs(2)) {
                    grads[2] = new_matrix(down_weight.size(0), down_weight.size(1));
                    product(grads[2], transpose(scaled, 0, 1), input, false);
                  }
                  if (c.needs(3)) {
                    // Computed transposed: the thin side is the one that is read across.
                    const Tensor transposed = new_matrix(up_weight.size(1), up_weight.size(0));
                    product(transposed, transpose(h, 0, 1), dy, false);
                    grads[3] = contiguous(transpose(transposed, 0, 1));
                  }
                  return grads;
                });
}

}  // namespace hearth
