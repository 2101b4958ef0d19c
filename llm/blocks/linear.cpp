// Linear layer of a language model.
#include "llm/blocks/linear.h"

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/lora.h"
#include "hearth/ops/random.h"

namespace hearth::llm {

Linear::Linear(int64_t in, int64_t out, bool with_bias, Dtype dtype) {
  if (in > 0) weight = Tensor::empty({out, in}, dtype);
  if (with_bias) bias = Tensor::empty({out}, dtype);
  add_parameter("weight", weight);
  add_parameter("bias", bias);
}

Tensor Linear::operator()(const Tensor& x, const LoraPath& lora) const {
  Tensor y;
  if (weight.requires_grad()) {
    y = add_lora(linear(x, weight), x, lora);
  } else if (!lora.weights || lora.dropout > 0) {
    y = add_lora(linear(x, packed_.of(weight)), x, lora);
  } else {
    y = lora_linear(x, packed_.of(weight), {}, lora.weights->a, lora.weights->b, lora.weights->scale);
  }
  // A packed product would begin its sums with the bias; added at the end it is the same bits trained, frozen and
  // adapted.
  return bias.defined() ? add(y, hearth::to(bias, y.dtype())) : y;
}

const PackedLinear& PackedCache::of(const Tensor& weight) const {
  // The packed form keeps the storage alive, so its address cannot come back as another weight's.
  if (!packed_.defined() || !(packed_.weight().storage() == weight.storage()) || version_ != weight.version()) {
    packed_ = PackedLinear(weight);
    version_ = weight.version();
  }
  return packed_;
}

Tensor add_lora(const Tensor& y, const Tensor& x, const LoraPath& lora) {
  if (!lora.weights) return y;
  Tensor input = x;
  if (lora.dropout > 0) {
    Generator generator(lora.dropout_seed);
    input = dropout(x, lora.dropout, true, &generator);
  }
  const Tensor h = mul(linear(input, lora.weights->a), lora.weights->scale);
  return add(y, linear(h, lora.weights->b));
}

}  // namespace hearth::llm
