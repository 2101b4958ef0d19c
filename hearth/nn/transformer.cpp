// A layer of a transformer encoder.
#include "hearth/nn/transformer.h"

#include "hearth/ops/elementwise.h"

namespace hearth::nn {

TransformerEncoderLayer::TransformerEncoderLayer(int64_t width, int64_t heads, const EncoderOptions& options)
    : self_attn(width, heads, {options.dropout, options.bias, options.batch_first}),
      linear1(width, options.inner, options.bias),
      dropout(options.dropout),
      linear2(options.inner, width, options.bias),
      norm1(width, options.eps, true, options.bias),
      norm2(width, options.eps, true, options.bias),
      dropout1(options.dropout),
      dropout2(options.dropout),
      options_(options) {
  add_module("self_attn", self_attn);
  add_module("linear1", linear1);
  add_module("dropout", dropout);
  add_module("linear2", linear2);
  add_module("norm1", norm1);
  add_module("norm2", norm2);
  add_module("dropout1", dropout1);
  add_module("dropout2", dropout2);
}

Tensor TransformerEncoderLayer::attended(const Tensor& x, const AttentionMask& mask) const {
  return dropout1(self_attn(x, x, x, mask).output);
}

Tensor TransformerEncoderLayer::network(const Tensor& x) const {
  const Tensor inner = linear1(x);
  return dropout2(linear2(dropout(options_.gelu ? hearth::gelu(inner) : relu(inner))));
}

Tensor TransformerEncoderLayer::forward(const Tensor& x, const AttentionMask& mask) const {
  if (options_.norm_first) {
    const Tensor y = add(x, attended(norm1(x), mask));
    return add(y, network(norm2(y)));
  }
  const Tensor y = norm1(add(x, attended(x, mask)));
  return norm2(add(y, network(y)));
}

}  // namespace hearth::nn
