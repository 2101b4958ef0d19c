// Embedding: rows of a table by token id.
#include "hearth/ops/embedding.h"

#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/index.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// The gradient of the table: rows of dy added up in token order.
Tensor table_gradient(const Tensor& dy, const Tensor& ids, const Shape& table, std::optional<int64_t> padding) {
  const bool is_half = dy.dtype() == Dtype::float16 || dy.dtype() == Dtype::bfloat16;
  const Tensor rows = reshape(is_half ? to(dy, Dtype::float32) : dy, {ids.numel(), table[1]});
  Tensor sum = index_add(zeros(table, rows.dtype(), rows.device()), 0, ids, rows);
  if (padding) sum = index_fill(sum, 0, scalar_tensor(*padding), 0);
  return to(sum, dy.dtype());
}

}  // namespace

Tensor embedding(const Tensor& weight, const Tensor& ids, std::optional<int64_t> padding_idx) {
  check<ShapeError>(weight.dim() == 2, "embedding: the table must have two dimensions: ", weight.shape());
  const int64_t rows = weight.shape()[0];
  if (padding_idx) {
    check<ValueError>(*padding_idx >= -rows && *padding_idx < rows, "embedding: padding_idx ", *padding_idx,
                      " is out of bounds for ", rows, " rows");
    if (*padding_idx < 0) *padding_idx += rows;
  }
  const Tensor flat = checked_index("embedding", reshape(ids, {ids.numel()}), 0, rows);
  Shape shape = ids.shape();
  shape.push_back(weight.shape()[1]);
  Tensor y;
  {
    NoGrad guard;
    y = reshape(index_select(weight, 0, flat), shape);
  }
  if (!needs_grad(weight)) return y.detach();
  return record("embedding", y.detach(), {weight},
                [flat, table = weight.shape(), padding_idx](const GradContext& c) -> Grads {
                  return {table_gradient(c.dy(), flat, table, padding_idx)};
                });
}

}  // namespace hearth
