// TokenWeights: a row of logits made ready to draw tokens from; the most likely tokens of a row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth::llm {

/// The token with the largest logit; of equal ones the smallest. NaN is passed over. Raises ValueError when the largest
/// is not finite or there is none (NaN weights).
int32_t best_token(std::span<const float> logits);

/// Up to k tokens, most likely first, equal ones by id; those with NaN or -inf are not among them.
std::vector<int32_t> top_tokens(std::span<const float> scores, int64_t k);

/// exp((x - max x) / temperature) for each logit x, 0 where it is not finite.
/// Example: TokenWeights weights(logits, 0.7); int32_t token = weights.draw(0.25);
class TokenWeights {
 public:
  /// logits [vocab], temperature > 0. Raises ValueError as `best_token` does.
  TokenWeights(std::span<const float> logits, double temperature);

  /// Walks along the tokens by id until `uniform` (in [0, 1)) of the sum of all weights is behind it.
  int32_t draw(double uniform) const;

  std::span<const float> values() const;
  double total() const { return total_; }

 private:
  Tensor weights_;
  std::vector<double> sums_;  ///< of blocks of tokens, so that a draw walks through one block only
  double total_ = 0;
};

}  // namespace hearth::llm
