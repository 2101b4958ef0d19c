// Text dataset: a long stream of tokens cut into windows for pretraining, shuffled, with a position to go on from.
#pragma once

#include <cstdint>
#include <vector>

#include "hearth/data/order.h"
#include "hearth/data/packing.h"

namespace hearth {

/// `context`: entries of a window. `batch_size`: windows in a batch. `shift`: each pass cuts at another offset (drawn
/// from the seed), so that windows do not always begin at the same tokens.
struct TextDatasetOptions {
  int64_t context = 0;
  int64_t batch_size = 0;
  uint64_t seed = 0;
  bool shuffle = true;
  bool shift = false;
};

/// Endless batches over windows of a token stream: window k of a pass covers `context` entries and their targets; the
/// first (under `shift`) and last of a pass may be shorter, so each token but the first is a target once a pass.
/// Raises ValueError for impossible options or fewer than two tokens.
/// Example: TextDataset data(tokens, {.context = 256, .batch_size = 16, .seed = 1}); PackedBatch batch = data.next();
class TextDataset {
 public:
  TextDataset(std::vector<int32_t> tokens, const TextDatasetOptions& options);

  PackedBatch next();
  /// Where the next batch begins; `index` counts windows.
  DataPosition position() const { return position_; }
  /// Goes on from a saved position. Raises ValueError when it belongs to other tokens or options.
  void seek(const DataPosition& position);
  int64_t windows_in_epoch(int64_t epoch) const;
  int64_t batches_in_epoch(int64_t epoch) const;
  /// Targets in one pass.
  int64_t targets() const { return int64_t(tokens_.size()) - 1; }

 private:
  int64_t offset_of(int64_t epoch) const;
  void begin_epoch(int64_t epoch);

  std::vector<int32_t> tokens_;
  TextDatasetOptions options_;
  DataPosition position_;
  int64_t offset_ = 0;
  std::vector<int64_t> order_;
};

}  // namespace hearth
