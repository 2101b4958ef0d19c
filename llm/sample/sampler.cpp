// Sampler: one token from one row of logits.
#include "llm/sample/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "hearth/core/error.h"

namespace hearth::llm {

namespace {

/// Tokens that may be chosen, most likely first at the end where cuts are made.
struct Candidate {
  int32_t token;
  double weight;
};

/// The k most likely tokens, cut where their weights reach top_p of their sum.
std::vector<Candidate> keep_top_k(std::span<const float> logits, const TokenWeights& weights, int64_t k, double top_p) {
  std::vector<Candidate> kept;
  double total = 0;
  for (int32_t token : top_tokens(logits, k)) {
    kept.push_back({token, double(weights.values()[size_t(token)])});
    total += kept.back().weight;
  }
  if (top_p < 1) {
    size_t count = 0;
    for (double sum = 0; count < kept.size() && sum < top_p * total; ++count) sum += kept[count].weight;
    kept.resize(std::max<size_t>(count, 1));
  }
  return kept;
}

/// Weights up to 1 in classes: those of one class differ by less than a thirty-second.
size_t class_of(float weight) { return std::bit_cast<uint32_t>(weight) >> 18; }

/// The fewest tokens whose weights reach top_p of all. Only the class in which the cut falls is sorted.
std::vector<Candidate> keep_top_p(std::span<const float> logits, const TokenWeights& weights, double top_p) {
  const std::span<const float> values = weights.values();
  std::vector<double> sums(class_of(1.0f) + 1);
  for (float w : values) sums[class_of(w)] += double(w);
  const double wanted = top_p * weights.total();
  size_t cut = sums.size() - 1;
  double above = 0;
  while (cut > 0 && above + sums[cut] < wanted) above += sums[cut--];
  std::vector<Candidate> kept;
  std::vector<int32_t> edge;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == 0) continue;
    const size_t where = class_of(values[i]);
    if (where > cut) kept.push_back({int32_t(i), double(values[i])});
    if (where == cut) edge.push_back(int32_t(i));
  }
  std::sort(edge.begin(), edge.end(), [&](int32_t a, int32_t b) {
    return logits[size_t(a)] != logits[size_t(b)] ? logits[size_t(a)] > logits[size_t(b)] : a < b;
  });
  double sum = above;
  for (size_t i = 0; i < edge.size() && (sum < wanted || kept.empty()); ++i) {
    kept.push_back({edge[i], double(values[size_t(edge[i])])});
    sum += kept.back().weight;
  }
  return kept;
}

std::vector<Candidate> keep_all(const TokenWeights& weights) {
  std::vector<Candidate> kept;
  for (size_t i = 0; i < weights.values().size(); ++i)
    if (weights.values()[i] > 0) kept.push_back({int32_t(i), double(weights.values()[i])});
  return kept;
}

}  // namespace

void validate(const SamplingParams& p) {
  check<ValueError>(std::isfinite(p.temperature) && p.temperature >= 0,
                    "sample: temperature must be 0 or more: ", p.temperature);
  check<ValueError>(p.top_k >= 0, "sample: top_k must be 0 (off) or more: ", p.top_k);
  check<ValueError>(p.top_p > 0 && p.top_p <= 1, "sample: top_p must be in (0, 1]: ", p.top_p);
  check<ValueError>(p.min_p >= 0 && p.min_p <= 1, "sample: min_p must be in [0, 1]: ", p.min_p);
  check<ValueError>(std::isfinite(p.repetition_penalty) && p.repetition_penalty > 0,
                    "sample: repetition_penalty must be positive: ", p.repetition_penalty);
  check<ValueError>(p.max_tokens >= 0, "sample: max_tokens must be 0 or more: ", p.max_tokens);
  for (const std::string& stop : p.stop) check<ValueError>(!stop.empty(), "sample: a stop text must not be empty");
}

Sampler::Sampler(const SamplingParams& params) : params_(params), engine_(params.seed) { validate(params); }

void Sampler::see(std::span<const int32_t> tokens) {
  if (params_.repetition_penalty != 1) seen_.insert(tokens.begin(), tokens.end());
}

std::span<const float> Sampler::penalized(std::span<const float> logits) {
  scratch_.assign(logits.begin(), logits.end());
  const float penalty = float(params_.repetition_penalty);
  for (int32_t token : seen_) {
    if (token < 0 || size_t(token) >= logits.size()) continue;
    float& logit = scratch_[size_t(token)];
    logit = logit > 0 ? logit / penalty : logit * penalty;
  }
  return scratch_;
}

int32_t Sampler::choose(std::span<const float> logits) {
  const SamplingParams& p = params_;
  const std::span<const float> row = p.repetition_penalty != 1 ? penalized(logits) : logits;
  int32_t token = 0;
  if (p.temperature == 0) {
    token = best_token(row);
  } else if (p.top_k == 0 && p.top_p == 1 && p.min_p == 0) {
    token = TokenWeights(row, p.temperature).draw(uniform_of(engine_));
  } else {
    const TokenWeights weights(row, p.temperature);
    std::vector<Candidate> kept = p.top_k > 0   ? keep_top_k(row, weights, p.top_k, p.top_p)
                                  : p.top_p < 1 ? keep_top_p(row, weights, p.top_p)
                                                : keep_all(weights);
    // The most likely token weighs 1.
    if (p.min_p > 0) std::erase_if(kept, [&](const Candidate& c) { return c.weight < p.min_p; });
    double left = 0;
    for (const Candidate& c : kept) left += c.weight;
    left *= uniform_of(engine_);
    for (const Candidate& c : kept) {
      if (c.weight > 0) token = c.token;
      if ((left -= c.weight) < 0) break;
    }
  }
  see({&token, 1});
  return token;
}

}  // namespace hearth::llm
