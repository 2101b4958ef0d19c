// Linear, bilinear and embedding layers.
#include "hearth/nn/linear.h"

#include <cmath>

#include "hearth/nn/init.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/embedding.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/view.h"

namespace hearth::nn {

Linear::Linear(int64_t inputs, int64_t outputs, bool with_bias) {
  weight = new_parameter({outputs, inputs});
  add_parameter("weight", weight);
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  add_parameter("bias", bias);
  if (!with_bias) return;
  bias = new_parameter({outputs});
  const double bound = inputs > 0 ? 1 / std::sqrt(double(inputs)) : 0;
  init::uniform_(bias, -bound, bound);
}

Tensor Linear::forward(const Tensor& x) const { return linear(x, weight, bias); }

Bilinear::Bilinear(int64_t inputs1, int64_t inputs2, int64_t outputs, bool with_bias) {
  check<ValueError>(inputs1 > 0, "bilinear: there must be inputs: ", inputs1);
  const double bound = 1 / std::sqrt(double(inputs1));
  weight = new_parameter({outputs, inputs1, inputs2});
  add_parameter("weight", weight);
  init::uniform_(weight, -bound, bound);
  add_parameter("bias", bias);
  if (!with_bias) return;
  bias = new_parameter({outputs});
  init::uniform_(bias, -bound, bound);
}

Tensor Bilinear::operator()(const Tensor& x1, const Tensor& x2) const {
  check<ShapeError>(x1.dim() >= 1 && x2.dim() >= 1 && x1.size(-1) == weight.size(1) && x2.size(-1) == weight.size(2),
                    "bilinear: inputs do not fit the weight: ", x1.shape(), ", ", x2.shape(), ", ", weight.shape());
  const int64_t outputs = weight.size(0), width1 = weight.size(1), width2 = weight.size(2);
  // [rows, 1, in1] x [rows, in1, outputs * in2], then each output's row with x2.
  Shape rows = x1.shape();
  rows[x1.dim() - 1] = outputs;
  const Tensor flat1 = reshape(x1, {-1, width1}), flat2 = reshape(x2, {-1, width2});
  check<ShapeError>(flat1.size(0) == flat2.size(0), "bilinear: inputs have different leading sizes: ", x1.shape(), ", ",
                    x2.shape());
  const Tensor left = reshape(matmul(flat1, reshape(permute(weight, {1, 0, 2}), {width1, outputs * width2})),
                              {flat1.size(0), outputs, width2});
  const Tensor y = reshape(squeeze(matmul(left, unsqueeze(flat2, -1)), -1), rows);
  return bias.defined() ? add(y, bias) : y;
}

Embedding::Embedding(int64_t rows, int64_t width, std::optional<int64_t> padding_idx) : padding_idx_(padding_idx) {
  weight = new_parameter({rows, width});
  add_parameter("weight", weight);
  init::normal_(weight);
  if (!padding_idx) return;
  NoGrad guard;
  fill_(select(weight, 0, *padding_idx), 0);
}

Tensor Embedding::forward(const Tensor& ids) const { return embedding(weight, ids, padding_idx_); }

}  // namespace hearth::nn
