// Generator: the Mersenne twister behind every random op, seeded and consumed as PyTorch's CPU generator is.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace hearth {

/// mt19937 (Matsumoto and Nishimura 1998) with the classic seeding of the low 32 bits of the seed. Draws are not
/// synchronised; ops hold `mutex` while they draw.
/// Example: Generator g(42); Tensor x = rand({3}, Dtype::float32, &g);
class Generator {
 public:
  static constexpr uint64_t default_seed = 67280421310721;

  explicit Generator(uint64_t seed = default_seed) { manual_seed(seed); }

  void manual_seed(uint64_t seed);
  uint64_t initial_seed() const { return seed_; }

  /// The next word.
  uint32_t random() {
    if (next_ == words) refill();
    uint32_t y = state_[next_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  /// Two words, the first one on top.
  uint64_t random64() {
    const uint64_t high = random();
    return high << 32 | random();
  }
  /// A number in [0, 1) with 24 or 53 random bits.
  float uniform() { return float(random() & 0xffffffu) * 0x1p-24f; }
  double uniform64() { return double(random64() & ((uint64_t(1) << 53) - 1)) * 0x1p-53; }
  /// A standard normal number by Box and Muller's method; every second one is left over from the call before.
  double normal();

  /// The state in PyTorch's layout (5056 bytes), so that saved random states can be exchanged.
  std::vector<uint8_t> state() const;
  /// Raises ValueError when the bytes are not such a state.
  void set_state(std::span<const uint8_t> bytes);

  std::mutex mutex;

 private:
  static constexpr int words = 624;
  void refill();

  std::array<uint32_t, words> state_;
  int next_ = words;
  uint64_t seed_ = 0;
  std::optional<double> spare_normal_;
};

/// The generator that ops use when none is given.
Generator& default_generator();

/// Seeds the default generator.
void manual_seed(uint64_t seed);

}  // namespace hearth
