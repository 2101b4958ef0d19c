// Linear layer of a language model.
#include "llm/blocks/linear.h"

#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/lora.h"
#include "hearth/ops/random.h"
#include "hearth/ops/view.h"

namespace hearth::llm {

Linear::Linear(int64_t in, int64_t out, bool with_bias, Dtype dtype) {
  if (in > 0) weight = Tensor::empty({out, in}, dtype);
  if (with_bias) bias = Tensor::empty({out}, dtype);
  add_parameter("weight", weight);
  add_parameter("bias", bias);
}

namespace {

/// x with dropout in the rows of the segments that have it. Numbers are drawn by a segment's own rows, so that its mask
/// does not depend on the rest of the pass.
Tensor dropped(const Tensor& x, const LoraPath& lora) {
  TensorList parts;
  int64_t at = 0;
  const auto take_up_to = [&](int64_t row) {
    if (row > at) parts.push_back(narrow(x, 0, at, row - at));
  };
  for (size_t i = 0; i < lora.dropping.size(); ++i) {
    const LoraSegment& s = lora.dropping[i];
    take_up_to(s.begin);
    Generator generator(lora.dropout_seed);
    parts.push_back(dropout(narrow(x, 0, s.begin, s.end - s.begin), lora.dropout[i], true, &generator));
    at = s.end;
  }
  take_up_to(x.size(0));
  return parts.size() == 1 ? parts[0] : cat(parts, 0);
}

}  // namespace

Tensor Linear::operator()(const Tensor& x, const LoraPath& lora) const {
  const bool trained = weight.requires_grad();
  Tensor y;
  if (!trained && !lora.segments.empty())
    y = lora_linear(x, packed_.of(weight), {}, lora.segments);
  else
    y = add_lora(trained ? linear(x, weight) : linear(x, packed_.of(weight)), x, lora.segments);
  if (!lora.dropping.empty()) y = lora_add(y, dropped(x, lora), lora.dropping);
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

Tensor add_lora(const Tensor& y, const Tensor& x, const LoraSegments& segments) {
  return segments.empty() ? y : lora_add(y, x, segments);
}

}  // namespace hearth::llm
