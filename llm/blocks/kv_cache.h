// KvCache: keys and values of running sequences, in pages, for every layer of a model.
#pragma once

#include <cstdint>
#include <vector>

#include "hearth/ops/attention.h"
#include "llm/blocks/context.h"
#include "llm/blocks/decoder_config.h"

namespace hearth::llm {

/// Sequences come and go; each holds pages of 64 tokens. The pool grows as sequences do. Not for several threads.
/// Example: KvCache cache(config); int64_t s = cache.add(); cache.begin({s}, batch); model.hidden(batch, nullptr,
/// &cache);
class KvCache {
 public:
  explicit KvCache(const DecoderConfig& config, Dtype dtype = Dtype::float32);

  /// A new, empty sequence.
  int64_t add();
  /// Gives a sequence's pages back.
  void remove(int64_t sequence);

  /// Makes room for a batch whose sequences are these, in order, and whose positions may begin anywhere up to the
  /// sequence's length (later ones are written anew). Must precede the model's pass over the batch.
  void begin(const std::vector<int64_t>& sequences, const TokenBatch& batch);

  /// Writes k and v of the batch into the layer's pages, then attends with q over each sequence so far.
  Tensor attend(size_t layer, const Tensor& q, const Tensor& k, const Tensor& v, double scale);

  /// Bytes that the pages take.
  int64_t bytes() const;

 private:
  static constexpr int64_t page_size = 64;
  void grow(int64_t pages);

  int64_t kv_heads_, head_dim_;
  Dtype dtype_;
  std::vector<AttentionCache> layers_;
  std::vector<std::vector<int64_t>> pages_of_;  ///< by sequence
  std::vector<int64_t> free_pages_;
  std::vector<int64_t> free_sequences_;
  int64_t page_count_ = 0;
  Tensor page_table_, cu_seqlens_, positions_;  ///< of the running batch
};

}  // namespace hearth::llm
