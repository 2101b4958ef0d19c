// TokenWeights: sums in blocks of fixed length, so that a row's draw depends on that row only.
#include "llm/sample/token_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/core/error.h"
#include "hearth/core/grad_mode.h"
#include "hearth/ops/math.h"

namespace hearth::llm {

namespace {

constexpr size_t block = 256;
constexpr size_t lanes = 16;

/// The largest number, NaN passed over; -inf when there is none. Lanes, so that the compiler makes vectors of it.
float largest(std::span<const float> row) {
  float most[lanes];
  std::fill_n(most, lanes, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + lanes <= row.size(); i += lanes)
    for (size_t j = 0; j < lanes; ++j) most[j] = row[i + j] > most[j] ? row[i + j] : most[j];
  for (size_t j = 0; i < row.size(); ++i, ++j) most[j] = row[i] > most[j] ? row[i] : most[j];
  return *std::max_element(most, most + lanes);
}

float checked_largest(std::span<const float> row) {
  const float most = largest(row);
  check<ValueError>(std::isfinite(most), "sample: no logit is finite; the weights hold NaN or infinity");
  return most;
}

double block_sum(const float* values, size_t count) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (size_t j = 0; j < 4; ++j) sums[j] += double(values[i + j]);
  for (size_t j = 0; i < count; ++i, ++j) sums[j] += double(values[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

struct Scored {
  float score;
  int32_t token;
};

bool better(const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.token < b.token; }

}  // namespace

int32_t best_token(std::span<const float> logits) {
  const float most = checked_largest(logits);
  return int32_t(std::find(logits.begin(), logits.end(), most) - logits.begin());
}

std::vector<int32_t> top_tokens(std::span<const float> scores, int64_t k) {
  std::vector<Scored> kept;
  const size_t wanted = size_t(std::clamp<int64_t>(k, 0, int64_t(scores.size())));
  // Few are kept: a heap whose front is the worst of them, looked at once for each token.
  const bool few = wanted <= 1024;
  kept.reserve(few ? wanted + 1 : scores.size());
  float floor = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < scores.size() && wanted > 0; ++i) {
    // Later tokens of the same score are worse than those kept.
    if (!(scores[i] > floor)) continue;
    kept.push_back({scores[i], int32_t(i)});
    if (!few) continue;
    std::push_heap(kept.begin(), kept.end(), better);
    if (kept.size() > wanted) {
      std::pop_heap(kept.begin(), kept.end(), better);
      kept.pop_back();
    }
    if (kept.size() == wanted) floor = kept.front().score;
  }
  if (kept.size() > wanted) {
    std::nth_element(kept.begin(), kept.begin() + long(wanted) - 1, kept.end(), better);
    kept.resize(wanted);
  }
  std::sort(kept.begin(), kept.end(), better);
  std::vector<int32_t> tokens;
  tokens.reserve(kept.size());
  for (const Scored& s : kept) tokens.push_back(s.token);
  return tokens;
}

TokenWeights::TokenWeights(std::span<const float> logits, double temperature) {
  NoGrad guard;
  const float most = checked_largest(logits), factor = float(std::min(1 / temperature, 1e38));
  const Tensor shifted = Tensor::empty({int64_t(logits.size())});
  float* to = shifted.data<float>();
  for (size_t i = 0; i < logits.size(); ++i) to[i] = (logits[i] - most) * factor;
  weights_ = exp(shifted);
  float* weights = weights_.data<float>();
  sums_.reserve(logits.size() / block + 1);
  for (size_t at = 0; at < logits.size(); at += block) {
    const size_t count = std::min(block, logits.size() - at);
    for (size_t i = at; i < at + count; ++i) weights[i] = weights[i] > 0 ? weights[i] : 0;
    sums_.push_back(block_sum(weights + at, count));
    total_ += sums_.back();
  }
}

std::span<const float> TokenWeights::values() const {
  return {static_cast<const Tensor&>(weights_).data<float>(), size_t(weights_.numel())};
}

int32_t TokenWeights::draw(double uniform) const {
  // Rounding may leave a little at the end: then the last token that has any weight is meant.
  double left = uniform * total_;
  size_t chosen = 0;
  bool found = false;
  for (size_t b = 0; b < sums_.size() && !found; ++b) {
    if (sums_[b] == 0) continue;
    chosen = b;
    found = left < sums_[b];
    if (!found) left -= sums_[b];
  }
  const std::span<const float> weights = values();
  int32_t token = 0;
  for (size_t i = chosen * block; i < std::min(weights.size(), (chosen + 1) * block); ++i) {
    if (weights[i] == 0) continue;
    token = int32_t(i);
    left -= double(weights[i]);
    if (found && left < 0) break;
  }
  return token;
}

}  // namespace hearth::llm
