// Order: shuffles that depend on nothing but their seed.
#include "hearth/data/order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hearth/core/error.h"

namespace hearth {

uint64_t SplitMix64::next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t SplitMix64::below(uint64_t bound) {
  // Numbers under 2^64 mod bound are drawn anew: what is left divides evenly.
  const uint64_t rejected = (0 - bound) % bound;
  uint64_t number;
  do {
    number = next();
  } while (number < rejected);
  return number % bound;
}

uint64_t mix_hash(uint64_t hash, uint64_t value) { return SplitMix64(hash ^ (value * 0xff51afd7ed558ccdu)).next(); }

std::vector<int64_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t(0));
  SplitMix64 random(mix_hash(seed, uint64_t(epoch)));
  for (size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[random.below(left)]);
  return order;
}

std::pair<std::vector<int64_t>, std::vector<int64_t>> split_indices(int64_t count, double fraction, uint64_t seed) {
  check<ValueError>(fraction >= 0 && fraction < 1, "train_validation_split: fraction must be in [0, 1): ", fraction);
  check<ValueError>(fraction == 0 || count >= 2, "train_validation_split: needs two examples at least: ", count);
  int64_t taken = std::llround(double(count) * fraction);
  if (fraction > 0) taken = std::clamp<int64_t>(taken, 1, count - 1);
  // A pass number that training never reaches keeps this draw apart from the first shuffle.
  const std::vector<int64_t> order = shuffled_order(count, seed, -1);
  std::pair<std::vector<int64_t>, std::vector<int64_t>> parts;
  parts.second.assign(order.begin(), order.begin() + taken);
  parts.first.assign(order.begin() + taken, order.end());
  std::sort(parts.first.begin(), parts.first.end());
  std::sort(parts.second.begin(), parts.second.end());
  return parts;
}

}  // namespace hearth
