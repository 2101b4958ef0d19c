// Generator: seeding, the twist, normal numbers, and the exchange of states.
#include "hearth/core/random.h"

#include <cmath>
#include <cstring>

#include "hearth/core/error.h"

namespace hearth {

namespace {

/// PyTorch's saved state: 64-bit words for the twister, then what its normal numbers leave over.
struct SavedState {
  uint64_t seed;
  int32_t left;  ///< draws until the next twist
  int32_t seeded;
  uint64_t next;  ///< place of the next word
  uint64_t words[624];
  double normal_x, normal_y, normal_rho;
  int32_t normal_is_valid;
  int32_t padding;
  float float_normal;
  int32_t float_normal_is_valid;
};
constexpr size_t saved_bytes = sizeof(SavedState);
static_assert(saved_bytes == 5056);

}  // namespace

void Generator::manual_seed(uint64_t seed) {
  seed_ = seed;
  state_[0] = uint32_t(seed);
  for (uint32_t i = 1; i < words; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  next_ = words;
  spare_normal_.reset();
}

void Generator::refill() {
  const auto twist = [](uint32_t a, uint32_t b, uint32_t far) {
    const uint32_t y = (a & 0x80000000u) | (b & 0x7fffffffu);
    return far ^ (y >> 1) ^ (b & 1 ? 0x9908b0dfu : 0u);
  };
  constexpr int shift = 397;
  for (int i = 0; i < words - shift; ++i) state_[i] = twist(state_[i], state_[i + 1], state_[i + shift]);
  for (int i = words - shift; i < words - 1; ++i)
    state_[i] = twist(state_[i], state_[i + 1], state_[i + shift - words]);
  state_[words - 1] = twist(state_[words - 1], state_[0], state_[shift - 1]);
  next_ = 0;
}

double Generator::normal() {
  if (spare_normal_) {
    const double value = *spare_normal_;
    spare_normal_.reset();
    return value;
  }
  const double angle = 2 * 3.14159265358979323846 * uniform64();
  const double radius = std::sqrt(-2 * std::log1p(-uniform64()));
  spare_normal_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

std::vector<uint8_t> Generator::state() const {
  SavedState saved{};
  saved.seed = seed_;
  saved.seeded = 1;
  // A fresh generator twists before its first draw; PyTorch notes that as one draw left at place 0.
  saved.left = words - next_ + 1;
  saved.next = next_ == words ? 0 : uint64_t(next_);
  for (int i = 0; i < words; ++i) saved.words[i] = state_[size_t(i)];
  saved.normal_is_valid = spare_normal_.has_value();
  saved.normal_y = spare_normal_.value_or(0);
  std::vector<uint8_t> bytes(saved_bytes);
  std::memcpy(bytes.data(), &saved, saved_bytes);
  return bytes;
}

void Generator::set_state(std::span<const uint8_t> bytes) {
  check<ValueError>(bytes.size() == saved_bytes, "set_state: a state has ", saved_bytes, " bytes: ", bytes.size());
  SavedState saved{};
  std::memcpy(&saved, bytes.data(), saved_bytes);
  check<ValueError>(saved.seeded == 1 && saved.left >= 1 && saved.left <= words && saved.next <= uint64_t(words),
                    "set_state: not a generator state: left ", saved.left, ", next ", saved.next);
  check<ValueError>(saved.left == 1 || saved.next + uint64_t(saved.left) == words + 1,
                    "set_state: counters disagree: left ", saved.left, ", next ", saved.next);
  seed_ = saved.seed;
  for (int i = 0; i < words; ++i) state_[size_t(i)] = uint32_t(saved.words[i]);
  next_ = words - saved.left + 1;
  spare_normal_.reset();
  if (saved.normal_is_valid) spare_normal_ = saved.normal_y;
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void manual_seed(uint64_t seed) {
  std::lock_guard lock(default_generator().mutex);
  default_generator().manual_seed(seed);
}

}  // namespace hearth
