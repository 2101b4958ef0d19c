// Linear layer of a language model.
#include "llm/blocks/linear.h"

#include "hearth/ops/elementwise.h"
#include "hearth/ops/linear.h"

namespace hearth::llm {

Linear::Linear(int64_t in, int64_t out, bool with_bias, Dtype dtype) {
  if (in > 0) weight = Tensor::empty({out, in}, dtype);
  if (with_bias) bias = Tensor::empty({out}, dtype);
  add_parameter("weight", weight);
  add_parameter("bias", bias);
}

Tensor Linear::operator()(const Tensor& x, const LoraPath& lora) const {
  const Tensor y = weight.requires_grad() ? linear(x, weight, bias) : linear(x, packed_.of(weight), bias);
  return add_lora(y, x, lora);
}

const PackedLinear& PackedCache::of(const Tensor& weight) const {
  if (from_ != weight.impl() || version_ != weight.version()) {
    packed_ = PackedLinear(weight);
    from_ = weight.impl();
    version_ = weight.version();
  }
  return packed_;
}

Tensor add_lora(const Tensor& y, const Tensor& x, const LoraPath& lora) {
  if (!lora.weights) return y;
  check<NotImplementedError>(lora.dropout == 0, "lora: dropout is not implemented yet");
  return add(y, mul(linear(linear(x, lora.weights->a), lora.weights->b), lora.weights->scale));
}

}  // namespace hearth::llm
