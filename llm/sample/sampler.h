// Sampler: one token from one row of logits.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <unordered_set>
#include <vector>

#include "llm/sample/params.h"
#include "llm/sample/token_weights.h"

namespace hearth::llm {

/// A number in [0, 1) of 53 random bits, straight from the engine: the standard library's distributions differ between
/// vendors.
inline double uniform_of(std::mt19937_64& engine) { return double(engine() >> 11) / 9007199254740992.0; }

/// Chooses the tokens of one continuation; its random numbers depend on the seed alone. Two samplers with the same
/// seed, parameters and logits choose the same tokens. Takes time linear in the vocabulary, whatever the filters.
class Sampler {
 public:
  explicit Sampler(const SamplingParams& params);

  /// Tokens that the repetition penalty applies to, e.g. those of the prompt.
  void see(std::span<const int32_t> tokens);

  /// Chooses by logits [vocab]: penalty, temperature, top-k, top-p, min-p, in that order. Equal logits: the smaller id
  /// first. Raises ValueError when no logit is finite (NaN weights).
  int32_t choose(std::span<const float> logits);

 private:
  std::span<const float> penalized(std::span<const float> logits);

  SamplingParams params_;
  std::mt19937_64 engine_;
  std::unordered_set<int32_t> seen_;
  std::vector<float> scratch_;
};

}  // namespace hearth::llm
