// Sampler: one token from one row of logits.
#include "llm/sample/sampler.h"

#include <algorithm>
#include <cmath>

#include "hearth/core/error.h"

namespace hearth::llm {

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

void Sampler::penalize(std::span<float> logits) const {
  const float penalty = float(params_.repetition_penalty);
  for (int32_t token : seen_) {
    if (token < 0 || size_t(token) >= logits.size()) continue;
    float& logit = logits[size_t(token)];
    logit = logit > 0 ? logit / penalty : logit * penalty;
  }
}

void Sampler::keep_top_k(std::vector<Candidate>& candidates) const {
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  if (params_.top_k > 0 && size_t(params_.top_k) < candidates.size()) {
    std::nth_element(candidates.begin(), candidates.begin() + (params_.top_k - 1), candidates.end(), better);
    candidates.resize(size_t(params_.top_k));
  }
  std::sort(candidates.begin(), candidates.end(), better);
}

/// Candidates come sorted; the cuts keep a prefix.
void Sampler::keep_probable(std::vector<Candidate>& candidates) const {
  double total = 0;
  for (Candidate& c : candidates) {
    c.probability = std::exp((double(c.logit) - double(candidates.front().logit)) / params_.temperature);
    total += c.probability;
  }
  size_t kept = candidates.size();
  if (params_.top_p < 1) {
    double sum = 0;
    for (kept = 0; kept < candidates.size() && sum < params_.top_p * total; ++kept) sum += candidates[kept].probability;
  }
  if (params_.min_p > 0)
    while (kept > 1 && candidates[kept - 1].probability < params_.min_p * candidates.front().probability) --kept;
  candidates.resize(std::max<size_t>(kept, 1));
}

int32_t Sampler::choose(std::span<const float> logits) {
  std::span<const float> row = logits;
  if (params_.repetition_penalty != 1) {
    scratch_.assign(logits.begin(), logits.end());
    penalize(scratch_);
    row = scratch_;
  }
  const auto best = std::max_element(row.begin(), row.end(), [](float a, float b) { return std::isnan(a) || a < b; });
  check<ValueError>(best != row.end() && std::isfinite(*best),
                    "sample: no logit is finite; the weights hold NaN or infinity");
  int32_t token = int32_t(best - row.begin());
  if (params_.temperature > 0) {
    std::vector<Candidate> candidates;
    candidates.reserve(row.size());
    for (size_t i = 0; i < row.size(); ++i)
      if (std::isfinite(row[i])) candidates.push_back({row[i], int32_t(i), 0});
    keep_top_k(candidates);
    keep_probable(candidates);
    double total = 0;
    for (const Candidate& c : candidates) total += c.probability;
    // 53 random bits, straight from the engine: the standard library's distributions differ between vendors.
    double left = double(engine_() >> 11) / 9007199254740992.0 * total;
    token = candidates.back().token;
    for (const Candidate& c : candidates) {
      left -= c.probability;
      if (left < 0) {
        token = c.token;
        break;
      }
    }
  }
  seen_.insert(token);
  return token;
}

}  // namespace hearth::llm
