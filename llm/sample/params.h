// SamplingParams: how tokens are chosen and when a continuation ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth::llm {

struct SamplingParams {
  double temperature = 1;         ///< 0: always the most likely token
  int64_t top_k = 0;              ///< keep the k most likely; 0: all
  double top_p = 1;               ///< keep the fewest tokens whose probabilities reach p
  double min_p = 0;               ///< keep tokens at least this share of the most likely one
  double repetition_penalty = 1;  ///< divides positive logits of tokens seen before, multiplies negative ones
  uint64_t seed = 0;
  int64_t max_tokens = 256;
  std::vector<std::string> stop;     ///< texts that end the continuation and are not part of it
  std::vector<int32_t> stop_tokens;  ///< tokens that do
};

/// Raises ValueError for a value that makes no sense, by name: `sample: top_p must be in (0, 1]: 1.5`.
void validate(const SamplingParams& params);

}  // namespace hearth::llm
