// Linear layer of a language model: a weight that may be frozen, and a place for an adapter's low-rank path.
#pragma once

#include "hearth/nn/module.h"
#include "hearth/ops/linear.h"
#include "llm/blocks/context.h"

namespace hearth::llm {

/// A frozen weight's packed form, made on first use and anew when the weight is exchanged or written. Not for several
/// threads.
class PackedCache {
 public:
  const PackedLinear& of(const Tensor& weight) const;

 private:
  mutable PackedLinear packed_;
  mutable uint32_t version_ = 0;
};

class Linear : public nn::Module {
 public:
  /// Uninitialised weight [out, in] and, if asked for, bias [out].
  Linear(int64_t in, int64_t out, bool bias, Dtype dtype);

  /// x [tokens, in] -> [tokens, out]; adds the adapters' paths where there are any. Raises ShapeError.
  Tensor operator()(const Tensor& x, const LoraPath& lora = {}) const;

  Tensor weight, bias;

 private:
  PackedCache packed_;
};

/// lora_add; y itself when there are no segments.
Tensor add_lora(const Tensor& y, const Tensor& x, const LoraSegments& segments);

}  // namespace hearth::llm
