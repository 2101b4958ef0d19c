// PromptScores: log-probabilities of a prompt's tokens and of what could have stood in their place.
#include "llm/sample/prompt_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/data/order.h"
#include "hearth/ops/create.h"
#include "hearth/ops/view.h"
#include "llm/sample/row_scores.h"

namespace hearth::llm {

namespace {

/// Rows of logits that are stored at once.
constexpr int64_t chunk = 64;

}  // namespace

PromptScores::PromptScores(const SampleRequest& request, SampleResult& result)
    : request_(request), result_(result), last_(int64_t(request.prompt.size()) - 1) {
  const int64_t tokens = int64_t(request.prompt.size());
  const int64_t scored = std::clamp<int64_t>(request.prompt_logprobs_last_n.value_or(tokens), 0, last_);
  first_ = last_ - scored;
  if (request.prompt_logprobs) result.prompt_logprobs.assign(size_t(tokens), std::numeric_limits<float>::quiet_NaN());
  if (request.topk_prompt_logprobs > 0) result.prompt_top = unused_table(tokens, request.topk_prompt_logprobs);
  result.target_prompt.assign(request.target_prompt.size(), 0);
  if (request.prompt_alt_tokens_k > 0) result.prompt_alt = unused_table(last_, request.prompt_alt_tokens_k);
  const bool every_row = request.prompt_alt_tokens_k > 0 || !request.target_prompt.empty();
  next_ = every_row ? 0 : request.prompt_logprobs || request.topk_prompt_logprobs > 0 ? first_ : last_;
}

bool PromptScores::whole_rows() const {
  return request_.topk_prompt_logprobs > 0 || request_.prompt_alt_tokens_k > 0 || !request_.target_prompt.empty();
}

void PromptScores::want_targets(int64_t first, int64_t end, int64_t* targets) const {
  if (!request_.prompt_logprobs || whole_rows()) return;
  for (int64_t p = std::max({first, first_, next_}); p < std::min(end, last_); ++p)
    targets[p - first] = request_.prompt[size_t(p) + 1];
}

void PromptScores::take_log_probs(int64_t first, int64_t end, const float* log_probs) {
  if (!request_.prompt_logprobs || whole_rows()) return;
  for (int64_t p = std::max({first, first_, next_}); p < std::min(end, last_); ++p) {
    check<ValueError>(!std::isnan(log_probs[p - first]),
                      "sample: a logit of the prompt is not a number; the weights hold NaN or infinity");
    result_.prompt_logprobs[size_t(p) + 1] = log_probs[p - first];
  }
}

void PromptScores::score_rows(const CausalLm& model, const RowAdapters& adapters, const Tensor& hidden, int64_t first,
                              int64_t end, int64_t allowed) {
  if (!whole_rows()) return;
  const int64_t stop = std::min(end, last_);
  for (int64_t p = std::max(first, next_); p < stop; p += chunk) {
    const int64_t count = std::min(chunk, stop - p);
    const Tensor logits = model.logits(narrow(hidden, 0, p - first, count), adapters);
    cpu::parallel_for(0, count, 1, [&](int64_t b, int64_t e) {
      NoGrad guard;
      for (int64_t r = b; r < e; ++r) score_row(logits, r, p + r, allowed);
    });
  }
}

void PromptScores::score_row(const Tensor& logits, int64_t row, int64_t position, int64_t allowed) {
  const Tensor all = row_log_probs(logits, row, 1);
  const float* scores = all.data<float>();
  if (position >= first_) {
    if (request_.prompt_logprobs)
      result_.prompt_logprobs[size_t(position) + 1] = scores[request_.prompt[size_t(position) + 1]];
    if (const int64_t k = request_.topk_prompt_logprobs; k > 0)
      write_top(all, k, result_.prompt_top, (position + 1) * k);
  }
  if (!request_.target_prompt.empty())
    for (int64_t j = 0; j < request_.target_prompt_k; ++j) {
      const size_t cell = size_t(position * request_.target_prompt_k + j);
      if (const int64_t id = request_.target_prompt[cell]; id >= 0) result_.target_prompt[cell] = scores[id];
    }
  if (request_.prompt_alt_tokens_k > 0) draw_alternatives(logits, row, position, allowed);
}

void PromptScores::draw_alternatives(const Tensor& logits, int64_t row, int64_t position, int64_t allowed) {
  const double temperature = request_.params.temperature;
  const Tensor all = row_log_probs(logits, row, temperature);
  const std::span<const float> numbers{row_of(logits, row).data<float>(), size_t(std::min(allowed, logits.size(1)))};
  // Each position has random numbers of its own, so that it does not matter how the prompt is cut.
  std::mt19937_64 engine(mix_hash(mix_hash(1, request_.params.seed), uint64_t(position)));
  const auto write = [&](int64_t j, int32_t token) {
    const size_t cell = size_t(position * request_.prompt_alt_tokens_k + j);
    result_.prompt_alt.tokens[cell] = token;
    result_.prompt_alt.logprobs[cell] = all.data<float>()[token];
  };
  if (temperature == 0) {
    for (int64_t j = 0; j < request_.prompt_alt_tokens_k; ++j) write(j, best_token(numbers));
    return;
  }
  const TokenWeights weights(numbers, temperature);
  for (int64_t j = 0; j < request_.prompt_alt_tokens_k; ++j) write(j, weights.draw(uniform_of(engine)));
}

void PromptScores::advance(int64_t end) { next_ = std::max(next_, std::min(end, last_)); }

}  // namespace hearth::llm
