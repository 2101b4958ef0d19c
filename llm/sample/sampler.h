// Sampler: one token from one row of logits.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <unordered_set>
#include <vector>

#include "llm/sample/params.h"

namespace hearth::llm {

/// Chooses the tokens of one continuation; its random numbers depend on the seed alone. Two samplers with the same
/// seed, parameters and logits choose the same tokens.
class Sampler {
 public:
  explicit Sampler(const SamplingParams& params);

  /// Tokens that the repetition penalty applies to, e.g. those of the prompt.
  void see(std::span<const int32_t> tokens) { seen_.insert(tokens.begin(), tokens.end()); }

  /// Chooses by logits [vocab]: penalty, temperature, top-k, top-p, min-p, in that order. Equal logits: the smaller id
  /// first. Raises ValueError when no logit is finite (NaN weights).
  int32_t choose(std::span<const float> logits);

 private:
  struct Candidate {
    float logit;
    int32_t token;
    double probability;
  };
  void penalize(std::span<float> logits) const;
  void keep_top_k(std::vector<Candidate>& candidates) const;
  void keep_probable(std::vector<Candidate>& candidates) const;

  SamplingParams params_;
  std::mt19937_64 engine_;
  std::unordered_set<int32_t> seen_;
  std::vector<float> scratch_;
};

}  // namespace hearth::llm
