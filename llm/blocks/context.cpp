// ForwardContext: an adapter's share for each layer.
#include "llm/blocks/context.h"

#include "hearth/data/order.h"

namespace hearth::llm {

LoraPath ForwardContext::lora(size_t layer) const {
  if (!adapter) return {};
  LoraPath path{adapter->at(layer)};
  if (dropout.active) path.dropout = adapter->config().dropout;
  if (path.dropout > 0)
    path.dropout_seed = mix_hash(mix_hash(mix_hash(1, dropout.seed), uint64_t(dropout.step)), layer);
  return path;
}

}  // namespace hearth::llm
