// Attention for any leading dimensions and masks, composed of plain products and a softmax.
#include "hearth/ops/dot_product_attention.h"

#include <cmath>
#include <limits>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/softmax.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

Tensor equals(const Tensor& x, const Scalar& value) {
  const Tensor mask = Tensor::empty(x.shape(), Dtype::boolean, x.device());
  kernels::compare(x.device(), kernels::CompareOp::eq, mask, x.detach(),
                   expand(scalar_tensor(value, x.dtype()), x.shape()));
  return mask;
}

/// Key or value heads repeated to the number of query heads.
Tensor widened(const Tensor& x, int64_t heads) {
  check<ShapeError>(x.dim() >= 3 && x.size(-3) > 0 && heads % x.size(-3) == 0, "scaled_dot_product_attention: ", heads,
                    " query heads are no multiple of the heads of ", x.shape());
  return x.size(-3) == heads ? x : repeat_interleave(x, heads / x.size(-3), -3);
}

Tensor masked(const Tensor& scores, const AttentionOptions& options) {
  if (options.is_causal) {
    const Tensor seen = tril(ones({scores.size(-2), scores.size(-1)}, Dtype::boolean, scores.device()));
    return masked_fill(scores, equals(seen, false), minus_infinity);
  }
  const Tensor& mask = options.mask;
  if (!mask.defined()) return scores;
  check<ShapeError>(broadcast_shapes("scaled_dot_product_attention", mask.shape(), scores.shape()) == scores.shape(),
                    "scaled_dot_product_attention: mask ", mask.shape(), " does not fit scores ", scores.shape());
  if (mask.dtype() == Dtype::boolean) return masked_fill(scores, equals(mask, false), minus_infinity);
  check<DtypeError>(is_floating(mask.dtype()),
                    "scaled_dot_product_attention: mask must be bool or floating: ", mask.dtype());
  return add(scores, to(mask, scores.dtype()));
}

/// softmax over the keys, 0 for a query all of whose scores are minus infinity.
Tensor weights_of(const Tensor& scores) {
  const Tensor hidden = equals(scores, minus_infinity);
  const Tensor blind = equals(sum(to(hidden, Dtype::int64), {-1}, true), scores.size(-1));
  return masked_fill(softmax(masked_fill(scores, blind, 0), -1), blind, 0);
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  const char* op = "scaled_dot_product_attention";
  check<ShapeError>(q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2, op, ": needs at least two dimensions: ", q.shape(),
                    ", ", k.shape(), ", ", v.shape());
  check<ShapeError>(q.size(-1) == k.size(-1) && k.size(-2) == v.size(-2), op, ": shapes do not fit: query ", q.shape(),
                    ", key ", k.shape(), ", value ", v.shape());
  check<DtypeError>(is_floating(q.dtype()) && q.dtype() == k.dtype() && q.dtype() == v.dtype(), op,
                    ": needs one floating dtype: ", q.dtype(), ", ", k.dtype(), ", ", v.dtype());
  check<ValueError>(!options.is_causal || !options.mask.defined(), op, ": give a mask or is_causal, not both");
  if (q.dtype() == Dtype::float16 || q.dtype() == Dtype::bfloat16) {
    // Scores of 16 bits would round away what tells them apart.
    AttentionOptions wide = options;
    if (options.mask.defined() && options.mask.dtype() != Dtype::boolean) wide.mask = to(options.mask, Dtype::float32);
    return to(scaled_dot_product_attention(to(q, Dtype::float32), to(k, Dtype::float32), to(v, Dtype::float32), wide),
              q.dtype());
  }
  const double scale = options.scale.value_or(1 / std::sqrt(double(std::max<int64_t>(q.size(-1), 1))));
  Tensor key = k, value = v;
  if (options.enable_gqa) {
    check<ShapeError>(q.dim() >= 3, op, ": grouped heads need a dimension of heads: ", q.shape());
    key = widened(k, q.size(-3));
    value = widened(v, q.size(-3));
  }
  const Tensor scores = masked(matmul(mul(q, scale), transpose(key, -2, -1)), options);
  return matmul(weights_of(scores), value);
}

}  // namespace hearth
