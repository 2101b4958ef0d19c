// Linear layer of a language model: a weight that may be frozen, and a place for an adapter's low-rank path.
#pragma once

#include "hearth/nn/module.h"
#include "llm/blocks/context.h"

namespace hearth::llm {

class Linear : public nn::Module {
 public:
  /// Uninitialised weight [out, in] and, if asked for, bias [out].
  Linear(int64_t in, int64_t out, bool bias, Dtype dtype);

  /// x [tokens, in] -> [tokens, out]; adds the adapter's path where there is one. Raises ShapeError.
  Tensor operator()(const Tensor& x, const LoraPath& lora = {}) const;

  Tensor weight, bias;
};

/// y plus the low-rank path of x; y itself when the path is empty.
Tensor add_lora(const Tensor& y, const Tensor& x, const LoraPath& lora);

}  // namespace hearth::llm
