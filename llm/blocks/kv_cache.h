// KvCache: keys and values of running sequences, in pages, for every layer of a model.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "hearth/ops/attention.h"
#include "llm/blocks/context.h"
#include "llm/blocks/decoder_config.h"

namespace hearth::llm {

/// Sequences come and go; each holds pages of 64 tokens. The pool grows as sequences do, up to a limit. Sequences that
/// begin alike may share pages; who writes into a shared page gets a copy of it first. Not for several threads.
/// Example: KvCache cache(config); int64_t s = cache.add(); cache.begin({s}, batch); model.hidden(batch, nullptr,
/// &cache);
class KvCache {
 public:
  static constexpr int64_t page_size = 64;

  /// A pool of at most `max_bytes`, rounded down to whole pages.
  explicit KvCache(const DecoderConfig& config, Dtype dtype = Dtype::float32,
                   int64_t max_bytes = std::numeric_limits<int64_t>::max());

  /// A new, empty sequence.
  int64_t add();
  /// A new sequence that holds the first `length` tokens of another: its pages are shared, nothing is copied yet.
  /// Raises ValueError when the other has no pages for so many.
  int64_t fork(int64_t sequence, int64_t length);
  /// Gives a sequence's pages back.
  void remove(int64_t sequence);

  /// Makes room for a batch whose sequences are these, in order, and whose positions may begin anywhere up to the
  /// sequence's length (later ones are written anew). Must precede the model's pass over the batch. Raises
  /// OutOfMemoryError when the pool would pass its limit; nothing is lost then.
  void begin(const std::vector<int64_t>& sequences, const TokenBatch& batch);

  /// Writes k and v of the batch into the layer's pages, then attends with q over each sequence so far.
  Tensor attend(size_t layer, const Tensor& q, const Tensor& k, const Tensor& v, double scale);

  /// Pages that `begin` would take to write positions [first, end) of a sequence: new ones and copies of shared ones.
  int64_t pages_to_write(int64_t sequence, int64_t first, int64_t end) const;
  /// Pages that may still be taken before the pool's limit.
  int64_t pages_left() const { return max_pages_ - page_count_ + int64_t(free_pages_.size()); }
  int64_t max_pages() const { return max_pages_; }
  /// Pages in use; a shared one counts once.
  int64_t pages_used() const { return page_count_ - int64_t(free_pages_.size()); }

  /// Bytes that the pages take, those not in use included.
  int64_t bytes() const;
  /// Gives the memory of an unused pool back; does nothing while any page is in use.
  void trim();

 private:
  void grow(int64_t pages);
  int64_t take_page();
  void give_page(int64_t page);
  void copy_page(int64_t from, int64_t to);
  void make_room(int64_t sequence, int64_t first, int64_t end);

  int64_t kv_heads_, head_dim_;
  Dtype dtype_;
  std::vector<AttentionCache> layers_;
  std::vector<std::vector<int64_t>> pages_of_;  ///< by sequence
  std::vector<int64_t> users_;                  ///< sequences that hold a page, by page
  std::vector<int64_t> free_pages_;
  std::vector<int64_t> free_sequences_;
  int64_t page_count_ = 0, max_pages_ = 0;
  Tensor page_table_, cu_seqlens_, positions_;  ///< of the running batch
};

}  // namespace hearth::llm
