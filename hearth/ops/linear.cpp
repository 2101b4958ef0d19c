// The linear layer's product.
#include "hearth/ops/linear.h"

#include <mutex>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/backend/kernels/matmul.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// x as rows [n, in]; `shape` becomes the shape of the result.
Tensor as_rows(const Tensor& x, int64_t in, int64_t out, Shape& shape) {
  check<ShapeError>(x.dim() >= 1 && x.size(-1) == in, "linear: input ", x.shape(), " does not fit weight [", out, ", ",
                    in, "]");
  shape = x.shape();
  shape[shape.size() - 1] = out;
  return x.dim() == 2 ? x : reshape(x, {in ? x.numel() / in : shape.numel() / std::max<int64_t>(out, 1), in});
}

}  // namespace

namespace {

/// a [m, k] times b [k, n], any strides, not recorded.
Tensor product(const Tensor& a, const Tensor& b) {
  const Tensor out = Tensor::empty({a.size(0), b.size(1)}, a.dtype(), a.device());
  const auto batch_of_one = [](const Tensor& x) {
    return x.alias({1, x.shape()[0], x.shape()[1]}, {0, x.strides()[0], x.strides()[1]}, x.offset());
  };
  kernels::matmul(a.device(), batch_of_one(out), batch_of_one(a), batch_of_one(b), false);
  return out;
}

Tensor turned(const Tensor& x) {
  return x.alias({x.shape()[1], x.shape()[0]}, {x.strides()[1], x.strides()[0]}, x.offset());
}

/// The gradients of x [n, in], weight [out, in] and bias for dy [n, out].
Grads linear_backward(const GradContext& c, const Tensor& x, const Tensor& weight, bool bias) {
  Grads grads(bias ? 3 : 2);
  const Tensor dy = c.dy();
  // The adjoint is itself differentiable where a graph is being built.
  if (c.needs(0)) grads[0] = grad_enabled() ? matmul(dy, weight) : product(dy, weight);
  if (c.needs(1)) grads[1] = grad_enabled() ? matmul(transpose(dy, 0, 1), x) : product(turned(dy), x);
  if (bias && c.needs(2)) grads[2] = sum(dy, {0});
  return grads;
}

/// One step of the graph for rows [n, in] of a real floating type.
Tensor linear_rows(const Tensor& rows, const Tensor& weight, const Tensor& bias) {
  const Tensor y = product(rows, turned(weight));
  if (bias.defined())
    kernels::binary(y.device(), kernels::BinaryOp::add, y, y,
                    bias.alias(y.shape(), {0, bias.strides()[0]}, bias.offset()));
  if (!(bias.defined() ? needs_grad(rows, weight, bias) : needs_grad(rows, weight))) return y;
  const auto backward = [x = save(rows), w = save(weight), with_bias = bias.defined()](const GradContext& c) {
    return linear_backward(c, x.get(c), w.get(c), with_bias);
  };
  return bias.defined() ? record("linear", y, {rows, weight, bias}, backward)
                        : record("linear", y, {rows, weight}, backward);
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check<ShapeError>(weight.dim() == 2, "linear: weight must be a matrix: ", weight.shape());
  check<DtypeError>(x.dtype() == weight.dtype() || x.dtype() == Dtype::float32, "linear: input ", x.dtype(),
                    " with weight ", weight.dtype());
  Shape shape;
  const Tensor rows = as_rows(x, weight.size(1), weight.size(0), shape);
  const bool plain =
      is_floating(x.dtype()) && weight.dtype() == x.dtype() &&
      (!bias.defined() || (bias.dim() == 1 && bias.size(0) == weight.size(0) && bias.dtype() == x.dtype()));
  if (plain) {
    const Tensor y = linear_rows(rows, weight, bias);
    return x.dim() == 2 ? y : reshape(y, shape);
  }
  const Tensor y = reshape(matmul(rows, transpose(to(weight, x.dtype()), 0, 1)), shape);
  return bias.defined() ? add(y, to(bias, x.dtype())) : y;
}

struct PackedLinear::Content {
  Tensor weight;
  Dtype input;
  Ref<kernels::PackedWeight> forward;
  std::once_flag backward_once;
  Ref<kernels::PackedWeight> backward;

  const kernels::PackedWeight& for_backward() {
    std::call_once(backward_once,
                   [this] { backward = kernels::pack(weight.device(), weight, kernels::PackUse::backward, input); });
    return *backward;
  }
};

PackedLinear::PackedLinear(const Tensor& weight, bool half_products) : content_(std::make_shared<Content>()) {
  check<ShapeError>(weight.dim() == 2, "linear: weight must be a matrix: ", weight.shape());
  content_->weight = weight.detach();
  content_->input = Dtype::float32;
  if (half_products && weight.dtype() == Dtype::bfloat16) {
    content_->forward = kernels::pack(weight.device(), weight, kernels::PackUse::forward, Dtype::bfloat16);
    if (content_->forward->uses_half_products()) {
      content_->input = Dtype::bfloat16;
      return;
    }
  }
  content_->forward = kernels::pack(weight.device(), weight, kernels::PackUse::forward, Dtype::float32);
}

const Tensor& PackedLinear::weight() const { return content_->weight; }

void PackedLinear::forward(const Tensor& out, const Tensor& x, const Tensor& bias) const {
  kernels::matmul_packed(out.device(), out, to(x, content_->input), *content_->forward, bias, false);
}

void PackedLinear::backward(const Tensor& out, const Tensor& dy) const {
  kernels::matmul_packed(out.device(), out, to(dy, content_->input), content_->for_backward(), {}, false);
}

Tensor linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias) {
  check<DtypeError>(x.dtype() == Dtype::float32, "linear: a packed weight wants a float32 input: ", x.dtype());
  const int64_t in = weight.weight().size(1), out = weight.weight().size(0);
  Shape shape;
  const Tensor rows = as_rows(x, in, out, shape);
  const Tensor b = bias.defined() ? to(bias, Dtype::float32) : bias;
  const Tensor y = Tensor::empty({rows.size(0), out}, Dtype::float32, x.device());
  {
    NoGrad guard;
    weight.forward(y, rows, b);
  }
  if (needs_grad(rows, b))
    record("linear", y, {rows, b}, [weight](const GradContext& c) -> Grads {
      Grads grads = {Tensor(), c.needs(1) ? sum(c.dy(), {0}) : Tensor()};
      // The adjoint of a linear map is linear: with a graph being built it is written with ops.
      if (c.needs(0) && grad_enabled()) grads[0] = matmul(c.dy(), to(weight.weight(), Dtype::float32));
      if (c.needs(0) && !grad_enabled()) {
        grads[0] = Tensor::empty({c.dy().size(0), weight.weight().size(1)}, Dtype::float32, c.dy().device());
        weight.backward(grads[0], c.dy());
      }
      return grads;
    });
  return shape.size() == 2 ? y : reshape(y, shape);
}

}  // namespace hearth
