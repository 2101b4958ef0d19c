// KvCache: pages and the tables that name them.
#include "llm/blocks/kv_cache.h"

#include <algorithm>

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/view.h"

namespace hearth::llm {

KvCache::KvCache(const DecoderConfig& config, Dtype dtype)
    : kv_heads_(config.num_key_value_heads),
      head_dim_(config.head_dim),
      dtype_(dtype),
      layers_(size_t(config.num_hidden_layers)) {}

int64_t KvCache::add() {
  if (!free_sequences_.empty()) {
    const int64_t sequence = free_sequences_.back();
    free_sequences_.pop_back();
    return sequence;
  }
  pages_of_.emplace_back();
  return int64_t(pages_of_.size()) - 1;
}

void KvCache::remove(int64_t sequence) {
  std::vector<int64_t>& pages = pages_of_.at(size_t(sequence));
  free_pages_.insert(free_pages_.end(), pages.begin(), pages.end());
  pages.clear();
  free_sequences_.push_back(sequence);
}

void KvCache::grow(int64_t pages) {
  NoGrad guard;
  for (AttentionCache& layer : layers_) {
    AttentionCache larger = attention_cache(pages, page_size, kv_heads_, head_dim_, dtype_);
    if (page_count_ > 0) {
      copy_(narrow(larger.keys, 0, 0, page_count_), layer.keys);
      copy_(narrow(larger.values, 0, 0, page_count_), layer.values);
    }
    layer = larger;
  }
  for (int64_t p = pages - 1; p >= page_count_; --p) free_pages_.push_back(p);
  page_count_ = pages;
}

void KvCache::begin(const std::vector<int64_t>& sequences, const TokenBatch& batch) {
  const int64_t* starts = batch.cu_seqlens.data<int64_t>();
  const int64_t* positions = batch.positions.data<int64_t>();
  check<ValueError>(batch.cu_seqlens.numel() == int64_t(sequences.size()) + 1, "kv cache: batch has ",
                    batch.cu_seqlens.numel() - 1, " sequences, named are ", sequences.size());
  int64_t most = 1;
  for (size_t s = 0; s < sequences.size(); ++s) {
    std::vector<int64_t>& pages = pages_of_.at(size_t(sequences[s]));
    int64_t length = 0;
    for (int64_t i = starts[s]; i < starts[s + 1]; ++i) length = std::max(length, positions[i] + 1);
    while (int64_t(pages.size()) * page_size < length) {
      if (free_pages_.empty()) grow(std::max<int64_t>(page_count_ * 2, 8));
      pages.push_back(free_pages_.back());
      free_pages_.pop_back();
    }
    most = std::max(most, int64_t(pages.size()));
  }
  page_table_ = zeros({int64_t(sequences.size()), most}, Dtype::int64);
  for (size_t s = 0; s < sequences.size(); ++s) {
    const std::vector<int64_t>& pages = pages_of_[size_t(sequences[s])];
    std::copy(pages.begin(), pages.end(), page_table_.data<int64_t>() + int64_t(s) * most);
  }
  cu_seqlens_ = batch.cu_seqlens;
  positions_ = batch.positions;
}

Tensor KvCache::attend(size_t layer, const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  const AttentionCache& cache = layers_[layer];
  attention_cache_write(cache, k, v, page_table_, cu_seqlens_, positions_);
  return attention_cached(q, cache, page_table_, cu_seqlens_, positions_, scale);
}

int64_t KvCache::bytes() const {
  int64_t total = 0;
  for (const AttentionCache& layer : layers_)
    if (layer.keys.defined()) total += int64_t(layer.keys.storage()->bytes() + layer.values.storage()->bytes());
  return total;
}

}  // namespace hearth::llm
