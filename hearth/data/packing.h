// Packing: tokenised examples as shuffled batches without padding, with a position from which a run goes on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hearth/data/order.h"

namespace hearth {

/// A tokenised example. `weights[i]` is the weight of the loss for predicting `tokens[i]` from those before it (so
/// `weights[0]` is not used); 0 for tokens that are given, such as a prompt.
struct TokenExample {
  std::vector<int32_t> tokens;
  std::vector<float> weights;
};

/// Sequences laid end to end. An example of L tokens gives L - 1 entries: token i, its position i, the target token
/// i + 1 and that target's weight. Sequence s is [cu_seqlens[s], cu_seqlens[s + 1]); `examples[s]` is its number in the
/// data.
struct PackedBatch {
  std::vector<int32_t> tokens, positions, targets;
  std::vector<float> weights;
  std::vector<int32_t> cu_seqlens = {0};
  std::vector<int64_t> examples;

  int64_t size() const { return int64_t(tokens.size()); }
  int64_t sequences() const { return int64_t(cu_seqlens.size()) - 1; }
  /// Entries of the longest sequence.
  int64_t longest() const;
  /// Sum of the weights, added up in order in double.
  double weight_sum() const;
  /// Appends `count` tokens as one sequence of count - 1 entries; `weights` (count numbers) may be null: all 1.
  void append(const int32_t* tokens, const float* weights, int64_t count, int64_t example);
};

/// What happens to an example that cannot be used as it is.
enum class BadExample { error, skip, truncate };

/// How examples become batches. One of `batch_size` (sequences) and `batch_tokens` (entries) at least must be set;
/// with both, a batch is full when either is reached. `max_length` counts tokens of an example; 0: no limit but
/// batch_tokens. `on_empty` takes error and skip.
struct PackingOptions {
  int64_t batch_size = 0;
  int64_t batch_tokens = 0;
  int64_t max_length = 0;
  BadExample on_too_long = BadExample::error;
  BadExample on_empty = BadExample::error;
  uint64_t seed = 0;
  bool shuffle = true;
};

/// What was kept. An example is empty when it has no token to learn: fewer than two tokens, or all weights 0.
struct PackingReport {
  int64_t examples = 0, kept = 0, empty = 0, too_long = 0, truncated = 0;
  int64_t tokens = 0, longest = 0;  ///< over the examples kept
  /// One sentence, e.g. "98 of 100 examples, 2 skipped (1 empty, 1 longer than 512 tokens)".
  std::string text(int64_t max_length) const;
};

/// Endless batches over examples: pass after pass, each shuffled anew from (seed, pass), the last batch of a pass as
/// small as it comes. The sequence of batches depends only on examples and options.
/// Raises ValueError when an option is impossible, when no example is left, when tokens and weights differ in number,
/// and, under BadExample::error, for empty or over-long examples, with their count and the first one's number. Example:
/// PackedBatches batches(examples, options); PackedBatch batch = batches.next(); save(batches.position());
class PackedBatches {
 public:
  PackedBatches(std::vector<TokenExample> examples, const PackingOptions& options);

  PackedBatch next();
  /// Where the next batch begins.
  DataPosition position() const { return position_; }
  /// Goes on from a saved position. Raises ValueError when it belongs to other data or another seed.
  void seek(const DataPosition& position);
  /// Batches in one pass (passes may differ under batch_tokens).
  int64_t batches_in_epoch(int64_t epoch) const;
  int64_t size() const { return int64_t(examples_.size()); }
  const PackingReport& report() const { return report_; }
  const PackingOptions& options() const { return options_; }

 private:
  void check_options() const;
  void filter();
  std::vector<int64_t> order_of(int64_t epoch) const;
  int64_t entries(int64_t example) const { return int64_t(examples_[size_t(example)].tokens.size()) - 1; }
  /// The end of the batch that begins at `first` of `order`.
  size_t batch_end(const std::vector<int64_t>& order, size_t first) const;

  std::vector<TokenExample> examples_;
  std::vector<int64_t> numbers_;
  PackingOptions options_;
  PackingReport report_;
  DataPosition position_;
  std::vector<int64_t> order_;
};

}  // namespace hearth
