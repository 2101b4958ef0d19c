// The linear layer's product.
#include "hearth/ops/linear.h"

#include <mutex>

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

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check<ShapeError>(weight.dim() == 2, "linear: weight must be a matrix: ", weight.shape());
  check<DtypeError>(x.dtype() == weight.dtype() || x.dtype() == Dtype::float32, "linear: input ", x.dtype(),
                    " with weight ", weight.dtype());
  Shape shape;
  const Tensor rows = as_rows(x, weight.size(1), weight.size(0), shape);
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
