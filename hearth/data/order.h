// Order: shuffles that depend on nothing but their seed, and the position in them that a checkpoint keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace hearth {

/// Where a pass over shuffled data stands: `index` examples of pass `epoch` have been used. `fingerprint` tells the
/// data and seed that it belongs to.
struct DataPosition {
  int64_t epoch = 0;
  int64_t index = 0;
  uint64_t fingerprint = 0;
  bool operator==(const DataPosition&) const = default;
};

/// 64-bit counter generator (splitmix64, S. Vigna): the same numbers on every platform and standard library.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// A number in [0, bound), each equally likely; `bound` > 0.
  uint64_t below(uint64_t bound);

 private:
  uint64_t state_;
};

/// The numbers 0 .. count-1 in the order of pass `epoch` under `seed` (Fisher-Yates).
std::vector<int64_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch);

/// Mixes `value` into a running hash; start with any constant.
uint64_t mix_hash(uint64_t hash, uint64_t value);

/// Which of `count` examples go to validation: round(count * fraction) of them, chosen by `seed`, at least one when the
/// fraction is above 0, and never all. Both lists are in ascending order: {train, validation}.
/// Raises ValueError for a fraction outside [0, 1), or a fraction above 0 of fewer than two examples.
std::pair<std::vector<int64_t>, std::vector<int64_t>> split_indices(int64_t count, double fraction, uint64_t seed);

/// Moves `examples` into {train, validation} as split_indices says.
/// Example: auto [train, validation] = train_validation_split(std::move(rows), 0.1, 42);
template <class T>
std::pair<std::vector<T>, std::vector<T>> train_validation_split(std::vector<T> examples, double fraction,
                                                                 uint64_t seed) {
  const auto [train, validation] = split_indices(int64_t(examples.size()), fraction, seed);
  std::pair<std::vector<T>, std::vector<T>> parts;
  for (const int64_t index : train) parts.first.push_back(std::move(examples[static_cast<std::size_t>(index)]));
  for (const int64_t index : validation) parts.second.push_back(std::move(examples[static_cast<std::size_t>(index)]));
  return parts;
}

}  // namespace hearth
