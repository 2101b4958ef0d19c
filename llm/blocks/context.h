// ForwardContext: what a pass through a model needs besides its input.
#pragma once

#include "hearth/core/tensor.h"
#include "hearth/ops/rotary.h"
#include "llm/lora/adapter.h"

namespace hearth::llm {

class KvCache;

/// One linear layer's share of an adapter in one pass; empty without an adapter.
struct LoraPath {
  const LoraWeights* weights = nullptr;
  double dropout = 0;
  uint64_t dropout_seed = 0;
};

/// Token sequences laid end to end, without padding.
struct TokenBatch {
  Tensor tokens;      ///< int64 [n]
  Tensor positions;   ///< int64 [n], position of each token in its sequence
  Tensor cu_seqlens;  ///< int64 [sequences + 1], where each sequence begins
  int64_t size() const { return tokens.numel(); }
};

/// Where the random numbers of dropout come from: each layer and step has its own, so that a pass can be computed
/// again with the same ones. Without `active` nothing is dropped.
struct DropoutSeed {
  bool active = false;
  uint64_t seed = 0;
  int64_t step = 0;
};

struct ForwardContext {
  const TokenBatch& batch;
  const RotaryTable& rotary;
  const LoraAdapter* adapter = nullptr;
  DropoutSeed dropout = {};
  KvCache* cache = nullptr;  ///< when given, keys and values are appended to it and attention looks at all of it

  /// What linear layer number `layer` adds to its product.
  LoraPath lora(size_t layer) const;
};

}  // namespace hearth::llm
