// Packing: tokenised examples as shuffled batches without padding.
#include "hearth/data/packing.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "hearth/core/error.h"

namespace hearth {

namespace {

bool is_empty(const TokenExample& example, int64_t length) {
  for (int64_t i = 1; i < length; ++i) {
    if (example.weights[size_t(i)] != 0) return false;
  }
  return true;
}

uint64_t fingerprint_of(const std::vector<TokenExample>& examples, const PackingOptions& options) {
  uint64_t hash = mix_hash(options.seed, options.shuffle);
  for (const TokenExample& example : examples) {
    hash = mix_hash(hash, example.tokens.size());
    for (size_t i = 0; i < example.tokens.size(); ++i) {
      uint32_t weight;
      std::memcpy(&weight, &example.weights[i], sizeof weight);
      hash = mix_hash(hash, uint64_t(uint32_t(example.tokens[i])) << 32 | weight);
    }
  }
  return hash;
}

}  // namespace

int64_t PackedBatch::longest() const {
  int32_t most = 0;
  for (size_t s = 1; s < cu_seqlens.size(); ++s) most = std::max(most, cu_seqlens[s] - cu_seqlens[s - 1]);
  return most;
}

double PackedBatch::weight_sum() const {
  double sum = 0;
  for (const float weight : weights) sum += weight;
  return sum;
}

void PackedBatch::append(const int32_t* stream, const float* stream_weights, int64_t count, int64_t example) {
  tokens.insert(tokens.end(), stream, stream + count - 1);
  targets.insert(targets.end(), stream + 1, stream + count);
  if (stream_weights == nullptr) {
    weights.resize(tokens.size(), 1.0f);
  } else {
    weights.insert(weights.end(), stream_weights + 1, stream_weights + count);
  }
  for (int32_t i = 0; i + 1 < count; ++i) positions.push_back(i);
  cu_seqlens.push_back(int32_t(tokens.size()));
  examples.push_back(example);
}

std::string PackingReport::text(int64_t max_length) const {
  std::string out = std::to_string(kept) + " of " + std::to_string(examples) + " examples";
  const int64_t skipped = examples - kept;
  const std::string length = " longer than " + std::to_string(max_length) + " tokens";
  if (skipped > 0) {
    out += ", " + std::to_string(skipped) + " skipped (" + std::to_string(empty) + " empty, " +
           std::to_string(skipped - empty) + length + ")";
  }
  if (truncated > 0) out += ", " + std::to_string(truncated) + length + " cut";
  return out;
}

PackedBatches::PackedBatches(std::vector<TokenExample> examples, const PackingOptions& options)
    : examples_(std::move(examples)), options_(options) {
  check_options();
  if (options_.max_length == 0) options_.max_length = options_.batch_tokens > 0 ? options_.batch_tokens + 1 : INT32_MAX;
  filter();
  position_.fingerprint = fingerprint_of(examples_, options_);
  order_ = order_of(0);
}

void PackedBatches::check_options() const {
  const PackingOptions& o = options_;
  check<ValueError>(o.batch_size >= 0 && o.batch_tokens >= 0 && o.max_length >= 0,
                    "packing: sizes must not be negative: batch_size ", o.batch_size, ", batch_tokens ", o.batch_tokens,
                    ", max_length ", o.max_length);
  check<ValueError>(o.max_length <= INT32_MAX, "packing: max_length is too large: ", o.max_length);
  check<ValueError>(o.batch_size > 0 || o.batch_tokens > 0, "packing: batch_size or batch_tokens must be set");
  check<ValueError>(o.max_length != 1, "packing: max_length must be 2 at least: 1");
  check<ValueError>(o.batch_tokens == 0 || o.max_length <= o.batch_tokens + 1,
                    "packing: max_length does not fit batch_tokens: ", o.max_length, ", ", o.batch_tokens);
  check<ValueError>(o.batch_tokens < INT32_MAX, "packing: batch_tokens is too large: ", o.batch_tokens);
  check<ValueError>(o.on_empty != BadExample::truncate, "packing: an empty example cannot be truncated");
}

void PackedBatches::filter() {
  std::vector<TokenExample> kept;
  int64_t first_empty = -1, first_long = -1;
  report_.examples = int64_t(examples_.size());
  for (int64_t number = 0; number < report_.examples; ++number) {
    TokenExample& example = examples_[size_t(number)];
    int64_t length = int64_t(example.tokens.size());
    check<ValueError>(example.weights.size() == example.tokens.size(), "packing: example ", number, " has ", length,
                      " tokens and ", example.weights.size(), " weights");
    for (const float weight : example.weights) {
      check<ValueError>(std::isfinite(weight), "packing: example ", number,
                        " has a weight that is not finite: ", weight);
    }
    const bool too_long = length > options_.max_length;
    if (too_long) {
      if (report_.too_long++ == 0) first_long = number;
      if (options_.on_too_long != BadExample::truncate) continue;
      length = options_.max_length;
    }
    // After the cut: what was to be learned may have gone with it.
    if (is_empty(example, length)) {
      if (report_.empty++ == 0) first_empty = number;
      continue;
    }
    report_.truncated += too_long;
    example.tokens.resize(size_t(length));
    example.weights.resize(size_t(length));
    report_.tokens += length;
    report_.longest = std::max(report_.longest, length);
    kept.push_back(std::move(example));
    numbers_.push_back(number);
  }
  check<ValueError>(report_.too_long == 0 || options_.on_too_long != BadExample::error, "packing: ", report_.too_long,
                    " of ", report_.examples, " examples are longer than ", options_.max_length,
                    " tokens, the first is number ", first_long, " (counted from 0); skip or truncate them explicitly");
  check<ValueError>(report_.empty == 0 || options_.on_empty != BadExample::error, "packing: ", report_.empty, " of ",
                    report_.examples, " examples have nothing to learn, the first is number ", first_empty,
                    " (counted from 0); skip them explicitly");
  check<ValueError>(!kept.empty(), "packing: no example is left of ", report_.examples, ": ", report_.empty, " empty, ",
                    report_.too_long, " longer than ", options_.max_length, " tokens");
  report_.kept = int64_t(kept.size());
  examples_ = std::move(kept);
}

std::vector<int64_t> PackedBatches::order_of(int64_t epoch) const {
  if (options_.shuffle) return shuffled_order(size(), options_.seed, epoch);
  std::vector<int64_t> order(examples_.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = int64_t(i);
  return order;
}

size_t PackedBatches::batch_end(const std::vector<int64_t>& order, size_t first) const {
  const int64_t budget = options_.batch_tokens > 0 ? options_.batch_tokens : INT32_MAX;
  const size_t most = options_.batch_size > 0 ? size_t(options_.batch_size) : order.size();
  size_t end = first;
  for (int64_t used = 0; end < order.size() && end - first < most; ++end) {
    used += entries(order[end]);
    if (used > budget) break;
  }
  return end;
}

PackedBatch PackedBatches::next() {
  PackedBatch batch;
  const size_t first = size_t(position_.index);
  const size_t end = batch_end(order_, first);
  for (size_t i = first; i < end; ++i) {
    const TokenExample& example = examples_[size_t(order_[i])];
    batch.append(example.tokens.data(), example.weights.data(), int64_t(example.tokens.size()),
                 numbers_[size_t(order_[i])]);
  }
  position_.index = int64_t(end);
  if (end == order_.size()) {
    position_.index = 0;
    order_ = order_of(++position_.epoch);
  }
  return batch;
}

void PackedBatches::seek(const DataPosition& position) {
  check<ValueError>(position.fingerprint == position_.fingerprint,
                    "packing: the saved position belongs to other data, another seed or another max_length");
  check<ValueError>(position.epoch >= 0 && position.index >= 0 && position.index < size(),
                    "packing: the saved position is impossible: epoch ", position.epoch, ", index ", position.index,
                    " of ", size());
  position_ = position;
  order_ = order_of(position.epoch);
}

int64_t PackedBatches::batches_in_epoch(int64_t epoch) const {
  const std::vector<int64_t> order = order_of(epoch);
  int64_t batches = 0;
  for (size_t first = 0; first < order.size(); first = batch_end(order, first)) ++batches;
  return batches;
}

}  // namespace hearth
