// KvCache: pages and the tables that name them.
#include "llm/blocks/kv_cache.h"

#include <algorithm>

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/view.h"

namespace hearth::llm {

namespace {

int64_t pages_for(int64_t tokens) { return (tokens + KvCache::page_size - 1) / KvCache::page_size; }

}  // namespace

KvCache::KvCache(const DecoderConfig& config, Dtype dtype, int64_t max_bytes)
    : kv_heads_(config.num_key_value_heads),
      head_dim_(config.head_dim),
      dtype_(dtype),
      layers_(size_t(config.num_hidden_layers)) {
  const AttentionCache one = attention_cache(1, page_size, kv_heads_, head_dim_, dtype);
  const int64_t page_bytes = (one.keys.numel() + one.values.numel()) * int64_t(dtype_size(dtype));
  max_pages_ = max_bytes / (page_bytes * std::max<int64_t>(1, config.num_hidden_layers));
}

int64_t KvCache::add() {
  if (!free_sequences_.empty()) {
    const int64_t sequence = free_sequences_.back();
    free_sequences_.pop_back();
    return sequence;
  }
  pages_of_.emplace_back();
  return int64_t(pages_of_.size()) - 1;
}

int64_t KvCache::fork(int64_t sequence, int64_t length) {
  const size_t pages = size_t(pages_for(length));
  check<ValueError>(pages <= pages_of_.at(size_t(sequence)).size(), "kv cache: fork of ", length,
                    " tokens of a sequence that holds ", pages_of_[size_t(sequence)].size(), " pages of ", page_size);
  const int64_t made = add();
  const std::vector<int64_t>& from = pages_of_[size_t(sequence)];
  pages_of_[size_t(made)].assign(from.begin(), from.begin() + long(pages));
  for (int64_t page : pages_of_[size_t(made)]) ++users_[size_t(page)];
  return made;
}

void KvCache::remove(int64_t sequence) {
  std::vector<int64_t>& pages = pages_of_.at(size_t(sequence));
  for (int64_t page : pages) give_page(page);
  pages.clear();
  free_sequences_.push_back(sequence);
}

void KvCache::grow(int64_t pages) {
  NoGrad guard;
  for (AttentionCache& layer : layers_) {
    AttentionCache larger = attention_cache(pages, page_size, kv_heads_, head_dim_, dtype_);
    if (page_count_ > 0) {
      // A layer that a failed growth left larger than the others is copied as far as pages are known.
      copy_(narrow(larger.keys, 0, 0, page_count_), narrow(layer.keys, 0, 0, page_count_));
      copy_(narrow(larger.values, 0, 0, page_count_), narrow(layer.values, 0, 0, page_count_));
    }
    layer = larger;
  }
  for (int64_t p = pages - 1; p >= page_count_; --p) free_pages_.push_back(p);
  users_.resize(size_t(pages), 0);
  page_count_ = pages;
}

int64_t KvCache::take_page() {
  if (free_pages_.empty()) {
    check<OutOfMemoryError>(page_count_ < max_pages_, "kv cache: all ", max_pages_, " pages of ", page_size,
                            " tokens are in use");
    grow(std::min(std::max<int64_t>(page_count_ * 2, 8), max_pages_));
  }
  const int64_t page = free_pages_.back();
  free_pages_.pop_back();
  users_[size_t(page)] = 1;
  return page;
}

void KvCache::give_page(int64_t page) {
  if (--users_[size_t(page)] == 0) free_pages_.push_back(page);
}

void KvCache::copy_page(int64_t from, int64_t to) {
  NoGrad guard;
  for (const AttentionCache& layer : layers_) {
    copy_(narrow(layer.keys, 0, to, 1), narrow(layer.keys, 0, from, 1));
    copy_(narrow(layer.values, 0, to, 1), narrow(layer.values, 0, from, 1));
  }
}

int64_t KvCache::pages_to_write(int64_t sequence, int64_t first, int64_t end) const {
  const std::vector<int64_t>& pages = pages_of_.at(size_t(sequence));
  int64_t count = 0;
  for (int64_t p = first / page_size; p < pages_for(end); ++p)
    if (p >= int64_t(pages.size()) || users_[size_t(pages[size_t(p)])] > 1) ++count;
  return count;
}

void KvCache::make_room(int64_t sequence, int64_t first, int64_t end) {
  std::vector<int64_t>& pages = pages_of_.at(size_t(sequence));
  for (int64_t p = first / page_size; p < std::min(pages_for(end), int64_t(pages.size())); ++p) {
    int64_t& page = pages[size_t(p)];
    if (users_[size_t(page)] == 1) continue;
    const int64_t own = take_page();
    copy_page(page, own);
    give_page(page);
    page = own;
  }
  while (int64_t(pages.size()) < pages_for(end)) pages.push_back(take_page());
}

void KvCache::begin(const std::vector<int64_t>& sequences, const TokenBatch& batch) {
  const int64_t* starts = batch.cu_seqlens.data<int64_t>();
  const int64_t* positions = batch.positions.data<int64_t>();
  check<ValueError>(batch.cu_seqlens.numel() == int64_t(sequences.size()) + 1, "kv cache: batch has ",
                    batch.cu_seqlens.numel() - 1, " sequences, named are ", sequences.size());
  int64_t most = 1;
  for (size_t s = 0; s < sequences.size(); ++s) {
    if (starts[s] < starts[s + 1]) {
      const auto [low, high] = std::minmax_element(positions + starts[s], positions + starts[s + 1]);
      make_room(sequences[s], *low, *high + 1);
    }
    most = std::max(most, int64_t(pages_of_.at(size_t(sequences[s])).size()));
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

void KvCache::trim() {
  if (pages_used() > 0) return;
  for (AttentionCache& layer : layers_) layer = {};
  free_pages_.clear();
  users_.clear();
  page_count_ = 0;
}

}  // namespace hearth::llm
