// ForwardContext: what a pass through a model needs besides its input.
#pragma once

#include <vector>

#include "hearth/core/tensor.h"
#include "hearth/ops/lora.h"
#include "hearth/ops/rotary.h"
#include "llm/lora/adapter.h"

namespace hearth::llm {

class KvCache;

/// Rows [begin, end) of a packed batch that one adapter changes; null: no adapter.
struct AdapterRows {
  const LoraAdapter* adapter = nullptr;
  int64_t begin = 0, end = 0;
};

/// Which adapter changes which rows of a packed batch: sequences of many adapters over one base run in one pass. A
/// row's bits do not depend on who else is in the pass. Each range has gradient products of its own over its own rows,
/// whose bits are those of a pass with that range alone; ranges of one adapter that shall not be added up by autograd
/// need adapters of their own (over aliases of the same weights). Adapters must live until after the backward.
/// Example: model.hidden(batch, RowAdapters({{&a, 0, 7}, {&b, 7, 12}})); model.hidden(batch, &a);
class RowAdapters {
 public:
  RowAdapters() = default;
  RowAdapters(const LoraAdapter* adapter) : everywhere_(adapter) {}  // all rows; null: no adapter
  /// Ascending ranges that do not overlap, else ValueError; rows in none have no adapter.
  explicit RowAdapters(std::vector<AdapterRows> ranges);

  bool empty() const { return !everywhere_ && ranges_.empty(); }
  /// The ranges that have an adapter, for a batch of `rows`. Raises ValueError when one goes beyond.
  std::vector<AdapterRows> ranges(int64_t rows) const;

 private:
  const LoraAdapter* everywhere_ = nullptr;
  std::vector<AdapterRows> ranges_;
};

/// What adapters add to one linear layer in one pass.
struct LoraPath {
  LoraSegments segments;        ///< of adapters whose input is taken as it is
  LoraSegments dropping;        ///< of those whose input goes through dropout in this pass
  std::vector<double> dropout;  ///< of each of the latter
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
  RowAdapters adapters = {};
  DropoutSeed dropout = {};
  KvCache* cache = nullptr;  ///< when given, keys and values are appended to it and attention looks at all of it

  /// What is added to the product of linear layer number `layer`.
  LoraPath lora(size_t layer) const;
};

}  // namespace hearth::llm
