// Text dataset: windows over a token stream.
#include "hearth/data/text_dataset.h"

#include <algorithm>
#include <utility>

#include "hearth/core/error.h"

namespace hearth {

namespace {

uint64_t fingerprint_of(const std::vector<int32_t>& tokens, const TextDatasetOptions& options) {
  uint64_t hash =
      mix_hash(options.seed, uint64_t(options.context) << 2 | uint64_t(options.shuffle) << 1 | options.shift);
  hash = mix_hash(hash, tokens.size());
  for (const int32_t token : tokens) hash = mix_hash(hash, uint32_t(token));
  return hash;
}

}  // namespace

TextDataset::TextDataset(std::vector<int32_t> tokens, const TextDatasetOptions& options)
    : tokens_(std::move(tokens)), options_(options) {
  check<ValueError>(options.context > 0 && options.context < INT32_MAX,
                    "text dataset: context must be positive: ", options.context);
  check<ValueError>(options.batch_size > 0 && options.batch_size <= INT32_MAX / options.context,
                    "text dataset: batch_size must be positive and batch_size * context below 2^31: ",
                    options.batch_size, " * ", options.context);
  check<ValueError>(tokens_.size() >= 2, "text dataset: needs two tokens at least: ", tokens_.size());
  position_.fingerprint = fingerprint_of(tokens_, options_);
  begin_epoch(0);
}

int64_t TextDataset::offset_of(int64_t epoch) const {
  if (!options_.shift) return 0;
  const int64_t most = std::min(options_.context, targets());
  return int64_t(SplitMix64(mix_hash(~options_.seed, uint64_t(epoch))).below(uint64_t(most)));
}

int64_t TextDataset::windows_in_epoch(int64_t epoch) const {
  const int64_t offset = offset_of(epoch);
  return (offset > 0 ? 1 : 0) + (targets() - offset + options_.context - 1) / options_.context;
}

int64_t TextDataset::batches_in_epoch(int64_t epoch) const {
  return (windows_in_epoch(epoch) + options_.batch_size - 1) / options_.batch_size;
}

void TextDataset::begin_epoch(int64_t epoch) {
  position_.epoch = epoch;
  position_.index = 0;
  offset_ = offset_of(epoch);
  const int64_t windows = windows_in_epoch(epoch);
  if (options_.shuffle) {
    order_ = shuffled_order(windows, options_.seed, epoch);
  } else {
    order_.resize(size_t(windows));
    for (int64_t i = 0; i < windows; ++i) order_[size_t(i)] = i;
  }
}

PackedBatch TextDataset::next() {
  PackedBatch batch;
  const int64_t end = std::min(position_.index + options_.batch_size, int64_t(order_.size()));
  const int64_t before = offset_ > 0 ? 1 : 0;
  for (int64_t i = position_.index; i < end; ++i) {
    const int64_t window = order_[size_t(i)];
    const int64_t start = window < before ? 0 : offset_ + (window - before) * options_.context;
    const int64_t stop = window < before ? offset_ : std::min(start + options_.context, targets());
    batch.append(tokens_.data() + start, nullptr, stop - start + 1, window);
  }
  position_.index = end;
  if (end == int64_t(order_.size())) begin_epoch(position_.epoch + 1);
  return batch;
}

void TextDataset::seek(const DataPosition& position) {
  check<ValueError>(position.fingerprint == position_.fingerprint,
                    "text dataset: the saved position belongs to other tokens, another seed or other options");
  check<ValueError>(position.epoch >= 0 && position.index >= 0 && position.index < windows_in_epoch(position.epoch),
                    "text dataset: the saved position is impossible: epoch ", position.epoch, ", index ",
                    position.index);
  begin_epoch(position.epoch);
  position_.index = position.index;
}

}  // namespace hearth
