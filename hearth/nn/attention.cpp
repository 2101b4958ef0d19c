// Multi-head attention, composed of products and a softmax.
#include "hearth/nn/attention.h"

#include <cmath>
#include <limits>

#include "hearth/nn/init.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/random.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/softmax.h"
#include "hearth/ops/view.h"

namespace hearth::nn {
namespace {

/// A mask as numbers to be added to scores.
Tensor as_bias(const Tensor& mask, Dtype dtype) {
  if (mask.dtype() != Dtype::boolean) return to(mask, dtype);
  return masked_fill(zeros(mask.shape(), dtype), mask, -std::numeric_limits<double>::infinity());
}

Tensor plus(const Tensor& bias, const Tensor& more) { return bias.defined() ? add(bias, more) : more; }

}  // namespace

MultiheadAttention::MultiheadAttention(int64_t width, int64_t heads, const MultiheadOptions& options)
    : out_proj(width, width, options.bias), width_(width), heads_(heads), options_(options) {
  check<ValueError>(heads > 0 && width > 0 && width % heads == 0,
                    "multihead_attention: heads must divide the width: ", heads, ", ", width);
  check<ValueError>(options.dropout >= 0 && options.dropout <= 1,
                    "multihead_attention: dropout must be in [0, 1]: ", options.dropout);
  in_proj_weight = new_parameter({3 * width, width});
  if (options.bias) in_proj_bias = new_parameter({3 * width});
  add_parameter("in_proj_weight", in_proj_weight);
  add_parameter("in_proj_bias", in_proj_bias);
  add_module("out_proj", out_proj);
  init::xavier_uniform_(in_proj_weight);
  if (!options.bias) return;
  init::zeros_(in_proj_bias);
  init::zeros_(out_proj.bias);
}

Tensor MultiheadAttention::project(const Tensor& x, int64_t part) const {
  const Tensor weight = narrow(in_proj_weight, 0, part * width_, width_);
  const Tensor bias = in_proj_bias.defined() ? narrow(in_proj_bias, 0, part * width_, width_) : Tensor();
  return transpose(unflatten(linear(x, weight, bias), -1, {heads_, width_ / heads_}), 1, 2);
}

Tensor MultiheadAttention::scores_bias(const AttentionMask& mask, int64_t batch, int64_t queries, int64_t keys,
                                       Dtype dtype) const {
  Tensor bias;
  if (mask.is_causal) {
    const Tensor hidden = triu(ones({queries, keys}), 1);
    bias = as_bias(hearth::to(hidden, Dtype::boolean), dtype);
  }
  if (mask.mask.defined()) {
    const bool each = mask.mask.dim() == 3;
    check<ShapeError>(mask.mask.shape() == (each ? Shape{batch * heads_, queries, keys} : Shape{queries, keys}),
                      "multihead_attention: mask ", mask.mask.shape(), " for ", queries, " queries and ", keys,
                      " keys");
    const Tensor given = as_bias(mask.mask, dtype);
    bias = plus(bias, each ? view(given, {batch, heads_, queries, keys}) : given);
  }
  if (mask.key_padding_mask.defined()) {
    const Tensor& padding = mask.key_padding_mask;
    check<ShapeError>(padding.numel() == batch * keys && padding.size(-1) == keys,
                      "multihead_attention: key_padding_mask ", padding.shape(), " for ", batch, " x ", keys, " keys");
    bias = plus(bias, view(contiguous(as_bias(padding, dtype)), {batch, 1, 1, keys}));
  }
  return bias;
}

Attended MultiheadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                        const AttentionMask& mask) const {
  const int rank = query.dim();
  check<ShapeError>((rank == 2 || rank == 3) && key.dim() == rank && value.dim() == rank,
                    "multihead_attention: two or three dimensions are needed: ", query.shape(), ", ", key.shape(), ", ",
                    value.shape());
  const auto batch_first = [&](const Tensor& x) {
    return rank == 2 ? unsqueeze(x, 0) : options_.batch_first ? x : transpose(x, 0, 1);
  };
  const Tensor q = batch_first(query), k = batch_first(key), v = batch_first(value);
  check<ShapeError>(q.size(2) == width_ && k.size(2) == width_ && v.shape() == k.shape() && q.size(0) == k.size(0),
                    "multihead_attention: shapes do not fit a width of ", width_, ": ", query.shape(), ", ",
                    key.shape(), ", ", value.shape());
  const int64_t head_width = width_ / heads_;
  const double scale = 1 / std::sqrt(double(head_width));
  Tensor scores = matmul(mul(project(q, 0), scale), transpose(project(k, 1), 2, 3));
  const Tensor bias = scores_bias(mask, q.size(0), q.size(1), k.size(1), scores.dtype());
  if (bias.defined()) scores = add(scores, bias);
  const Tensor weights = dropout(softmax(scores, -1), options_.dropout, is_training());
  const Tensor joined = flatten(transpose(matmul(weights, project(v, 2)), 1, 2), 2);
  const Tensor output = out_proj(joined), mean_weights = mean(weights, {1});
  if (rank == 2) return {squeeze(output, 0), squeeze(mean_weights, 0)};
  return {options_.batch_first ? output : transpose(output, 0, 1), mean_weights};
}

}  // namespace hearth::nn
